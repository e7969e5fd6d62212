//! The operator's pod against the real OpenStack.

use std::time::Duration;

use super::bed::Bed;
use super::real::RealCloud;
use crate::kube::namespace::row;
use crate::support::{cloud_for_oneself, leavings, nothing_is_left, wait_until};

const LONG: Duration = Duration::from_mins(10);
/// Of the suite, what the workshop had.
const SUITE: &str = "heat_zone_lifecycle, port_on_external_net_to_dns, 'floating_ip_with_*'";

#[test]
#[ignore = "needs a node and the OpenStack test bed: tests/run node"]
fn a_pod_proves_the_real_cloud_and_so_does_the_one_that_takes_its_place() {
    let _alone = cloud_for_oneself();
    let cloud = RealCloud::reachable();
    let bed = Bed::install("real", &[]);
    cloud.secret(&bed);

    bed.play("all", &cloud.spec(SUITE, ""));
    let run = bed.finished("all", LONG);
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(run["status"]["summary"]["passed"], run["status"]["summary"]["total"], "{run:#}");
    nothing_is_left();

    // An upgrade in the middle of a run: what is under way is undone, and played again by the next pod.
    bed.play("handed-over", &cloud.spec("heat_zone_lifecycle", ""));
    wait_until("it made something", LONG, || !leavings().is_empty());
    bed.upgrade(&["controller.log=debug"]);
    let run = bed.finished("handed-over", LONG);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert_eq!(run["status"]["attempt"], 2, "{run:#}");
    nothing_is_left();
    bed.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
}
