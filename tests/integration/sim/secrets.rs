//! Secrets never leave their type: everything that is told, logged or written down is searched for them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tempest_operator::outcome::VerdictPolicy;
use tempest_operator::report::{json, junit, table};
use tempest_operator::simcloud::{Fault, SimOptions};
use tracing_subscriber::fmt::MakeWriter;

use super::player::{FIP_OWN, Kept, Played, Player, ZONE, clean, cloud};

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Log {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

fn everything(played: &Played) -> String {
    let policy = VerdictPolicy::default();
    let report = &played.report;
    [
        serde_json::to_string(&played.events).unwrap(),
        format!("{:?}", played.events),
        json::render(report).unwrap(),
        json::yaml(report).unwrap(),
        junit::render(report, &policy).unwrap(),
        table::render(report, &policy, None),
    ]
    .concat()
}

// One thread: what is logged anywhere in the process is logged here.
#[tokio::test(flavor = "current_thread")]
async fn neither_password_nor_token_is_ever_told() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let cloud = cloud().await;
    let kept = Kept::default();
    let mut player = Player::of(&cloud, &[FIP_OWN, ZONE]).patient(5);
    player.kept = kept.clone();
    let inputs = format!("{:?} {:?}", player.inputs().clouds, player.inputs().options);
    let passed = player.play().await;
    passed.passed();
    // An error tells more than a success does.
    cloud.faults().inject(Fault::Unauthorized);
    let refused = Player::of(&cloud, &[ZONE]).play().await;
    cloud.faults().clear_all();
    let told = [inputs, everything(&passed), everything(&refused), log.text()].concat();
    assert!(told.contains("to-") && log.text().contains("tempest_operator"), "nothing was captured");
    let mut secrets = vec![SimOptions::default().password];
    for request in &cloud.requests().latest {
        let tokens = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-auth-token"));
        secrets.extend(tokens.map(|(_, token)| token.clone()));
    }
    assert!(secrets.len() > 10, "no token was ever sent");
    secrets.sort();
    secrets.dedup();
    for secret in secrets {
        assert!(secret.len() > 8);
        let Some(at) = told.find(&secret) else { continue };
        let begin = told.floor_char_boundary(at.saturating_sub(200));
        panic!("a secret is told: …{}", &told[begin..at]);
    }
    clean(&cloud);
}
