//! Every answer comes out of the language as it went in.

use flyc::compiler::Compiler;
use proptest::prelude::*;

use super::*;

fn draft(kind: Kind, said: &[(&'static str, &str)]) -> Draft {
    let mut draft = Draft::new(kind, "my-app");
    draft.said = said.iter().map(|(flag, value)| (*flag, vec![(*value).to_owned()])).collect();
    draft
}

#[test]
fn the_block_has_the_form_of_the_language() {
    let mut egg = draft(
        Kind::Egg,
        &[
            ("type", "vm"),
            ("cloud", "local"),
            ("gitlab-project-id", "12345"),
            ("memory", "4GiB"),
            ("concurrent", "3"),
        ],
    );
    egg.said.insert("tags", vec!["docker".to_owned(), "linux".to_owned()]);
    egg.environment.push(("GREETING".to_owned(), "a \"word\" of ${x}".to_owned()));
    let text = egg.text();
    expect_test_free(
        &text,
        r#"egg "my-app" {
  type = "vm"

  cloud {
    provider = "local"
  }

  resources {
    memory = 4GiB
  }

  runner {
    tags       = ["docker", "linux"]
    concurrent = 3
  }

  gitlab {
    project_id = 12345
  }

  environment {
    GREETING = "a \"word\" of $${x}"
  }
}
"#,
    );
}

fn expect_test_free(text: &str, wanted: &str) {
    assert_eq!(text, wanted, "\n{text}");
}

#[test]
fn the_repositories_of_a_bucket_share_a_server() {
    let mut bucket = draft(Kind::Bucket, &[("type", "vm"), ("gitlab-server", "gitlab.example.com")]);
    bucket.repos = vec![
        Repo { name: "api".to_owned(), serves: Serves::Project("1".to_owned()) },
        Repo { name: "web".to_owned(), serves: Serves::Group("2".to_owned()) },
    ];
    let text = bucket.text();
    assert_eq!(text.matches("gitlab.example.com").count(), 2, "{text}");
    let compiler = Compiler::new([("Eggs/my-app/config.fly", text.as_str())]);
    assert!(compiler.check().iter().all(|found| found.kind.id != "syntax"), "{text}");
}

/// The value of an attribute of the one block of a text.
fn read(kind: Kind, text: &str, block: Option<&str>, name: &str) -> Option<fly_std::Value> {
    let file = kind.file("my-app");
    let compiler = Compiler::new([(file.as_str(), text)]);
    let root = &compiler.typed(&file)?.blocks[0];
    let block = match block {
        Some(name) => root.block(name)?,
        None => root,
    };
    block.attribute(name)?.value.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_script_means_what_was_said(script in "([ -~\t\u{e9}]{0,30}\n?){0,6}") {
        let text = draft(Kind::Job, &[("schedule", "0 2 * * *"), ("script", &script)]).text();
        let read = read(Kind::Job, &text, None, "script");
        let read = read.as_ref().and_then(fly_std::Value::as_str).map(|text| text.strip_suffix('\n').unwrap_or(text));
        prop_assert_eq!(read, Some(script.strip_suffix('\n').unwrap_or(&script)), "{}", text);
    }

    #[test]
    fn a_text_means_what_was_said(value in "\\PC{0,30}|[\\x00-\\x7f]{0,20}|\\$*\\{*[a-z\"]*\\}*") {
        let mut egg = draft(Kind::Egg, &[("type", "vm"), ("gitlab-project-id", "1")]);
        egg.environment.push(("NAME".to_owned(), value.clone()));
        let text = egg.text();
        let compiler = Compiler::new([("Eggs/my-app/config.fly", text.as_str())]);
        prop_assert_eq!(compiler.typed("Eggs/my-app/config.fly").map(|typed| typed.blocks.len()), Some(1), "{}", text);
        if let Some(read) = read(Kind::Egg, &text, Some("environment"), "NAME").as_ref().and_then(fly_std::Value::as_str) {
            prop_assert_eq!(read, value, "{}", text);
        }
    }
}
