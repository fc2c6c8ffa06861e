//! What the arguments of `gosling serve` become.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    serve: Serve,
}

fn settings(arguments: &[&str]) -> Settings {
    let line = ["serve"].iter().chain(arguments);
    match Line::try_parse_from(line).unwrap().serve.settings() {
        Ok(settings) => settings,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn a_laptop_needs_no_more_than_a_nest() {
    let settings = settings(&["--nest", "git@gitlab.example.com:infra/nest.git"]);
    assert_eq!(settings.nest.name, "nest");
    assert_eq!(settings.url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(settings.roles.len(), 3);
    assert!(settings.data.is_absolute());
    assert_eq!(settings.intervals, Intervals::default());
}

#[test]
fn everything_can_be_said() {
    let settings = settings(&[
        "--nest=https://gitlab.example.com/infra/birds",
        "--listen=0.0.0.0:9000",
        "--gitlab=gitlab.example.com=http://127.0.0.1:1",
        "--gitlab=other.example.com=https://o.example.com/gitlab",
        "--roles=api,worker",
        "--sync-interval=90s",
        "--deploy-key=vault://gosling/deploy-keys/nest",
        "--rate=5,10",
        "--body-limit=1MiB",
        "--credential=yandex.YC_TOKEN=vault://clouds/yandex",
        "--credential=aws.AWS_ACCESS_KEY_ID=vault://clouds/aws-id",
        "--credential=aws.AWS_SECRET_ACCESS_KEY=vault://clouds/aws-key",
        "--tofu-env=HTTP_TRACE,OTHER",
        "--var=region=eu-central-1",
        "--var=label=a=b",
    ]);
    assert_eq!(settings.clouds.credentials["aws"].len(), 2);
    assert!(settings.clouds.credentials["yandex"].contains_key("YC_TOKEN"));
    assert_eq!(settings.clouds.pass, ["HTTP_TRACE", "OTHER"]);
    assert_eq!(settings.nest.variables["label"], "a=b");
    assert_eq!(settings.nest.name, "birds");
    assert_eq!(settings.url.as_str(), "http://127.0.0.1:9000/");
    assert_eq!(settings.gitlab.len(), 2);
    assert_eq!(settings.roles, BTreeSet::from([Role::Api, Role::Worker]));
    assert_eq!(settings.intervals.sync, Duration::from_secs(90));
    assert!(settings.nest.deploy_key.is_some());
    assert_eq!((settings.rate, settings.body_limit), ((5, 10), 1 << 20));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let wrong: [&[&str]; 7] = [
        &[],
        &["--nest=n", "--roles=fox"],
        &["--nest=n", "--sync-interval=0s"],
        &["--nest=n", "--sync-interval=5"],
        &["--nest=n", "--gitlab=host"],
        &["--nest=n", "--gitlab=host=ftp://x"],
        &["--nest=n", "--tls-cert=c"],
    ];
    for arguments in wrong {
        assert!(Line::try_parse_from(["serve"].iter().chain(arguments)).is_err(), "{arguments:?}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_uri_is_not_repeated() {
    for argument in
        ["--deploy-key=hunter2", "--credential=yandex.YC_TOKEN=hunter2", "--credential=YC_TOKEN=hunter2"]
    {
        let line = Line::try_parse_from(["serve", "--nest=n", argument]).unwrap();
        let failure = line.serve.settings().unwrap_err();
        assert!(!format!("{failure:?} {failure}").contains("hunter2"), "{argument}");
    }
}

#[test]
fn a_variable_has_one_value() {
    let line = Line::try_parse_from(["serve", "--nest=n", "--var=a=1", "--var=a=2"]).unwrap();
    assert!(line.serve.settings().unwrap_err().to_string().contains("twice"));
}
