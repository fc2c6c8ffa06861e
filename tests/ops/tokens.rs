//! Tokens are made and taken back while gosling serves.

use std::{
    fs,
    time::{Duration, Instant},
};

use polar_gosling_tests::need;
use serde_json::Value;

use crate::stage;

#[test]
fn a_token_is_known_soon_after_it_was_made_and_not_once_it_was_taken_out() {
    let stage = need!(stage());
    let file = stage.folder().join("token-of-alice");
    fs::write(&file, stage.run(&["token", "alice", "--scope", "read"])).unwrap();
    let opens = || stage.gosling(&["list", "eggs"]).env("GOSLING_TOKEN_FILE", &file).output().unwrap().status;
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_mins(1);
        while !is_so() {
            assert!(Instant::now() < end, "{what}\n{}", stage.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("a new token opens nothing", &|| opens().success());
    let known = stage.data().join("tokens.json");
    let mut entries: Vec<Value> = serde_json::from_str(&fs::read_to_string(&known).unwrap()).unwrap();
    entries.retain(|entry| entry["name"] != "alice");
    fs::write(&known, serde_json::to_string(&entries).unwrap()).unwrap();
    until("a token that was taken out opens still", &|| !opens().success());
    // The others are as good as before.
    stage.run(&["list", "eggs"]);
}
