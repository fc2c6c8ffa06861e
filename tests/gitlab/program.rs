//! `fake-gitlab`, as the demo runs it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use polar_gosling_tests::tools;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_queues_jobs_over_http() {
    let mut program = Command::new(tools::fake_gitlab())
        .args([
            "--listen",
            "127.0.0.1:0",
            "--token",
            "glpat-demo",
            "--group",
            "5=team",
            "--project",
            "7=web@5",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let url = url.trim();
    let http = reqwest::Client::new();
    let job = json!({ "project": 7, "name": "test", "tags": ["a"], "script": ["echo hello"] });
    let queued: Value =
        http.post(format!("{url}/fake/jobs")).json(&job).send().await.unwrap().json().await.unwrap();
    let asked = http.get(format!("{url}/api/v4/projects/7/jobs/{}", queued["id"]));
    let found: Value =
        asked.header("PRIVATE-TOKEN", "glpat-demo").send().await.unwrap().json().await.unwrap();
    assert_eq!((&found["status"], &found["tag_list"]), (&json!("pending"), &json!(["a"])));
    let listed: Value = http.get(format!("{url}/fake/jobs")).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    program.kill().unwrap();
    program.wait().unwrap();
}
