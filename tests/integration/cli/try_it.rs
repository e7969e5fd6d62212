//! `try` has credentials for everybody whom a built-in scenario acts as.

use crate::support::{binary, finish, told};

#[test]
fn nothing_is_skipped_for_want_of_credentials() {
    let mut command = binary();
    command.args(["try", "--latency", "zero", "--output", "json"]);
    // One needs the administrator; the other leaves out what it cannot do as the administrator or the alternate.
    let ended = finish(command.args(["--include", "fip_admin_delete", "--include", "fip_custom_ptr"]));
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(text.contains("\"passed\": 2") && !text.contains("skippedSteps"), "{text}");
}
