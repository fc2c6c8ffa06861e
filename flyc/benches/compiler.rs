//! The hot paths of the compiler, one file or one edit at a time: `cargo bench -p flyc`.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a measuring program")]

use std::{fmt::Write, sync::Arc};

use divan::{Bencher, counter::BytesCount};
use flyc::{compiler::Compiler, format::format, syntax::parse};

fn main() {
    divan::main();
}

/// An egg of the size people write.
fn egg(number: usize) -> String {
    format!(
        r#"# Egg {number}: built by the platform team
egg "egg-{number}" {{
  type = "vm"  // vm or serverless

  cloud {{
    provider = "yandex"
    region   = "ru-central1-a"
  }}

  resources {{
    cpu    = 2
    memory = 4096  // MB
    disk   = 20    // GB
  }}

  runner {{
    tags         = ["docker", "linux", "team-{number}"]
    concurrent   = 3
    idle_timeout = "10m"
  }}

  gitlab {{
    server     = "gitlab.example.com"
    project_id = {number}
  }}

  environment {{
    DOCKER_DRIVER = "overlay2"
    API_KEY       = "yc-lockbox://api-keys/egg-{number}-key"
  }}
}}
"#,
        number = number + 1
    )
}

fn nest(eggs: usize) -> Vec<(String, String)> {
    (0..eggs).map(|number| (format!("Eggs/egg-{}/config.fly", number + 1), egg(number))).collect()
}

#[divan::bench]
fn parse_one_egg(bencher: Bencher) {
    let text: Arc<str> = egg(1).into();
    bencher.counter(BytesCount::of_str(&text)).bench(|| parse(text.clone()));
}

#[divan::bench]
fn parse_one_large_file(bencher: Bencher) {
    let text: Arc<str> = (0..1500)
        .fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "{}", egg(number));
            text
        })
        .into();
    bencher.counter(BytesCount::of_str(&text)).bench(|| parse(text.clone()));
}

#[divan::bench]
fn format_one_egg(bencher: Bencher) {
    let parsed = parse(egg(1).into());
    bencher.bench(|| format(&parsed));
}

/// Everything but reading: a thousand eggs from text to findings.
#[divan::bench(sample_count = 20)]
fn check_a_thousand_eggs(bencher: Bencher) {
    bencher.with_inputs(|| nest(1000)).bench_values(|files| Compiler::new(files).check().len());
}

/// One file of ten thousand changes in a live compiler, and its findings are asked for.
#[divan::bench(sample_count = 50)]
fn recheck_one_of_ten_thousand(bencher: Bencher) {
    let mut compiler = Compiler::new(nest(10_000));
    compiler.check();
    let mut memory = 0;
    bencher.bench_local(|| {
        memory += 1;
        let text = egg(4999).replace("4096", &(4096 + memory % 1000).to_string());
        compiler.set("Eggs/egg-5000/config.fly", text);
        compiler.check_file("Eggs/egg-5000/config.fly").len()
    });
}
