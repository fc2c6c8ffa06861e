//! What `OpenTofu` said once, translated over builds in memory.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{build::Options, compiler::Compiler};

const PATH: &str = "Eggs/my-app/config.fly";

const EGG: &str = r#"# The app.
egg "my-app" {
  type = "vm"

  cloud {
    provider = "aws"
    region   = "eu-central-1"
    image    = "ключ-12"
  }

  resources {
    cpu    = 2
    memory = 4GiB
    disk   = 40GiB
  }

  gitlab {
    project_id = 7
  }
}
"#;

fn build() -> BTreeMap<String, String> {
    Compiler::new([(PATH, EGG)]).build(&Options::default()).unwrap().files
}

fn sources(text: &str) -> HashMap<String, Source> {
    HashMap::from([(PATH.to_owned(), Source::new(PATH, text))])
}

/// The number of the first line of a built file that holds a text.
fn line(build: &BTreeMap<String, String>, path: &str, holds: &str) -> usize {
    build[path].lines().position(|line| line.contains(holds)).unwrap() + 1
}

fn complaint(value: Value) -> Complaint {
    serde_json::from_value(value).unwrap()
}

fn at(filename: &str, line: usize) -> Complaint {
    complaint(json!({
        "severity": "error",
        "summary": "No",
        "detail": "Not so.",
        "range": { "filename": filename, "start": { "line": line, "column": 3 }, "end": { "line": line, "column": 9 } },
        "snippet": { "code": "  the line" },
    }))
}

fn told(complaints: &[Complaint]) -> Vec<Diagnostic> {
    translate(complaints, "eggs/my-app", &build(), &sources(EGG)).unwrap()
}

/// The text that a diagnostic is about, and its label.
fn about(diagnostic: &Diagnostic) -> (&'static str, &str) {
    (EGG.get(std::ops::Range::<usize>::from(diagnostic.span.range)).unwrap(), &diagnostic.label)
}

#[test]
fn every_input_of_the_compute_module_comes_from_its_line() {
    let build = build();
    let main = "compute-module/aws/main.tf";
    for (code, text, label) in [
        ("volume_size = ", "disk   = 40GiB", "`disk_size` comes from here"),
        ("root_block_device {", "disk   = 40GiB", "`disk_size` comes from here"),
        ("  instance_type = ", "resources", "`instance_type` comes from here"),
        ("ami           = ", "image    = \"ключ-12\"", "`image_id` comes from here"),
        ("subnet_id                   =", "cloud", "`subnet_id` comes from here"),
        ("gosling-nest  ", "egg \"my-app\"", "in what is built from this egg"),
        ("resource \"aws_instance\"", "egg \"my-app\"", "in what is built from this egg"),
    ] {
        let found = told(&[at(&format!("../../{main}"), line(&build, main, code))]);
        assert_eq!(about(&found[0]), (text, label), "{code}");
    }
    let variables = "compute-module/aws/variables.tf";
    let found = told(&[at(&format!("../../{variables}"), line(&build, variables, "variable \"disk_size\""))]);
    assert_eq!(about(&found[0]).0, "disk   = 40GiB");
}

#[test]
fn a_line_of_the_eggs_own_module_comes_from_its_mark() {
    let build = build();
    for (file, code, text, label) in [
        ("providers.tf", "region = ", "region   = \"eu-central-1\"", "`region` comes from here"),
        ("data.tf", "most_recent", "image    = \"ключ-12\"", "`data.aws_ami.runner` comes from here"),
        ("versions.tf", "required_version", "egg \"my-app\"", "in what is built from this egg"),
        ("variables.tf", "variable \"orchestrator_url\"", "egg \"my-app\"", "in what is built from this egg"),
    ] {
        let line = line(&build, &format!("eggs/my-app/{file}"), code);
        for given in [file.to_owned(), format!("./{file}"), format!("/home/me/out/eggs/my-app/{file}")] {
            assert_eq!(about(&told(&[at(&given, line)])[0]), (text, label), "{given} {code}");
        }
    }
}

#[test]
fn without_a_place_the_address_tells() {
    let of = |address: Option<&str>, detail: &str| {
        let mut one = complaint(json!({ "severity": "error", "summary": "No", "detail": detail }));
        one.address = address.map(str::to_owned);
        one
    };
    let found = told(&[
        of(
            None,
            "The given value is not suitable for module.runner[\"r-1\"].var.disk_size, which must be larger.",
        ),
        of(
            Some("module.runner[\"r-1\"].aws_instance.runner"),
            "creating EC2 Instance: InsufficientInstanceCapacity",
        ),
        of(Some("data.aws_ami.runner"), "Your query returned no results."),
        of(None, ""),
    ]);
    let texts: Vec<_> = found.iter().map(|one| about(one).0).collect();
    assert_eq!(texts, ["disk   = 40GiB", "egg \"my-app\"", "image    = \"ключ-12\"", "egg \"my-app\""]);
    assert!(found[1].notes.contains(&"it is about `module.runner[\"r-1\"].aws_instance.runner`".to_owned()));
    assert_eq!(found[3].message, "No");
}

#[test]
fn what_is_true_of_many_runners_is_said_once() {
    let of = |runner: usize| {
        let mut one = at("resources.tf", 1);
        one.address = Some(format!("module.runner[\"r-{runner}\"].aws_instance.runner"));
        one
    };
    let mut many: Vec<Complaint> = (0..5).map(of).collect();
    let mut other = of(9);
    other.detail = "Something else.".into();
    many.push(other);
    let found = told(&many);
    assert_eq!(found.len(), 2);
    let note = found[0].notes.iter().find(|note| note.starts_with("it is about")).unwrap();
    assert!(note.contains("r-2") && !note.contains("r-3") && note.ends_with(" and 2 more"), "{note}");
    for one in &mut many {
        one.address = None;
    }
    assert!(
        told(&many)[0].notes.contains(&"OpenTofu says so 5 times, once for each runner it is true of".into())
    );
}

#[test]
fn nothing_of_a_file_that_is_not_built_is_shown() {
    for filename in ["runners.auto.tfvars.json", "/home/me/secret/x.tfvars", "../../../x.tf"] {
        let mut one = at(filename, 1);
        one.snippet =
            Some(Snippet { context: None, code: "{\"tickets\": \"hunter2\"".into(), values: Vec::new() });
        let found = told(&[one]);
        let text = format!("{} {:?}", found[0].message, found[0].notes);
        assert!(!text.contains("hunter2") && !text.contains("/home") && !text.contains(".."), "{text}");
        assert!(text.contains("which `flyc build` did not write"));
    }
}

#[test]
fn sensitive_and_endless_values_are_left_out() {
    let mut one = at("resources.tf", 4);
    let value = |traversal: &str, statement: &str| KnownValue {
        traversal: traversal.into(),
        statement: statement.into(),
    };
    one.snippet = Some(Snippet {
        context: Some("module \"runner\"".into()),
        code: "  x = 1\n  y = 2".into(),
        values: vec![
            value("var.ticket", "has a sensitive value"),
            value("var.cloud_init", &format!("is \"{}\"", "x".repeat(1000))),
            value("var.cores", "is 3"),
        ],
    });
    let note = "OpenTofu stopped at eggs/my-app/resources.tf:4:3, in module \"runner\":\n  x = 1\n  where var.cores is 3";
    assert!(told(&[one])[0].notes.contains(&note.to_owned()));
}

#[test]
fn a_source_that_is_not_the_one_that_was_built_is_told() {
    let one = [at("providers.tf", 5)];
    let translated = |sources: &HashMap<String, Source>| {
        translate(&one, "eggs/my-app", &build(), sources).unwrap().remove(0)
    };
    assert!(!translated(&sources(EGG)).notes.iter().any(|note| note.contains(PATH)));
    for text in [&format!("# More.\n{EGG}"), "", "egg \"my-app\" {"] {
        let found = translated(&sources(text));
        assert!(usize::from(found.span.range.end()) <= text.len());
        assert!(found.notes.last().unwrap().starts_with(&format!("`{PATH}` has changed since it was built")));
    }
    assert_eq!(
        translated(&HashMap::new()).notes.last().unwrap(),
        &format!("`{PATH}` is no longer in the Nest")
    );
}

#[test]
fn what_is_no_build_of_a_source_is_refused() {
    let translated = |folder: &str, build: &BTreeMap<String, String>| {
        translate(&[], folder, build, &sources(EGG)).unwrap_err().to_string()
    };
    assert_eq!(translated("eggs/a", &BTreeMap::new()), "there is no build: it has no manifest.json");
    for folder in ["eggs/other", "compute-module/aws", ""] {
        let expected = format!("`{folder}` is no folder of this build that came from a .fly file");
        assert_eq!(translated(folder, &build()), expected);
    }
    let broken = BTreeMap::from([("manifest.json".to_owned(), "{}".to_owned())]);
    assert!(translated("eggs/my-app", &broken).contains("not a valid build manifest"));
}

#[test]
fn the_headline_is_one_sentence() {
    for (summary, detail, message, rest) in [
        ("Invalid value.", "Too large.", "Invalid value: Too large", &[] as &[&str]),
        ("Invalid", "One.\n\nTwo.\n\n\nThree.", "Invalid: One", &["Two.", "Three."]),
        ("Invalid", "a\nb", "Invalid", &["a\nb"]),
        ("", "", "OpenTofu does not say what is wrong", &[]),
    ] {
        let one = complaint(json!({ "severity": "error", "summary": summary, "detail": detail }));
        assert_eq!(headline(&one), (message.to_owned(), rest.iter().map(|&text| text.to_owned()).collect()));
    }
}

proptest! {
    /// Whatever `OpenTofu` points at, and whatever became of the source: a diagnostic comes, about text that is there.
    #[test]
    fn every_place_has_an_answer(
        file in prop_oneof![
            Just("resources.tf"), Just("checks.tf"), Just("variables.tf"), Just("cloud-init.yaml"), Just("none.tf"),
            Just("../../compute-module/aws/main.tf"), Just("../../compute-module/aws/user_data.tf"), Just("../.."),
        ],
        line in prop_oneof![0_usize..80, Just(usize::try_from(u32::MAX).unwrap())],
        text in prop_oneof![Just(EGG.to_owned()), "[а-я \\n]{0,60}", Just(EGG.replace('\n', "\r\n"))],
    ) {
        let found = translate(&[at(file, line)], "eggs/my-app", &build(), &sources(&text)).unwrap();
        let range = std::ops::Range::<usize>::from(found[0].span.range);
        prop_assert!(text.get(range).is_some());
        prop_assert_eq!(&*found[0].span.file, PATH);
    }
}
