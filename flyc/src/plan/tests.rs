//! The table of effects against the schema, against what is generated, and plans of small Nests.

use std::{collections::BTreeSet, fmt::Write as _};

use fly_std::{
    Type,
    schema::{Block, EGG, EGGSBUCKET, Times},
};
use hcl_edit::structure::{Body, Structure};

use super::{
    effects::{RULES, find},
    *,
};
use crate::{
    artifact::Provider,
    build::{Options, Snapshot},
    compiler::Compiler,
    lower,
};

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    Compiler::new(files.iter().copied()).snapshot(&Options::default()).unwrap()
}

fn plan(old: &[(&str, &str)], new: &[(&str, &str)]) -> Plan {
    compare(&snapshot(old), &snapshot(new)).unwrap()
}

/// An egg whose blocks hold these lines.
fn egg(runner_type: &str, blocks: &[(&str, &str)]) -> String {
    let mut text = format!("egg \"a\" {{\n  type = \"{runner_type}\"\n");
    let all: BTreeSet<&str> = blocks.iter().map(|(block, _)| *block).chain(["gitlab"]).collect();
    for block in all {
        let _ = writeln!(text, "  {block} {{");
        for (_, line) in blocks.iter().filter(|(of, _)| *of == block) {
            let _ = writeln!(text, "    {line}");
        }
        if block == "gitlab" && !blocks.iter().any(|(_, line)| line.contains("_id")) {
            text.push_str("    project_id = 7\n");
        }
        text.push_str("  }\n");
    }
    text + "}\n"
}

fn effect(old: &str, new: &str) -> Option<Effect> {
    let rift = ("MG/config.fly", "rift \"one\" {\n}\n\nrift \"two\" {\n}\n");
    let plan = plan(&[("Eggs/a/config.fly", old), rift], &[("Eggs/a/config.fly", new), rift]);
    assert!(plan.not_compared.is_empty(), "both are understood:\n{old}\n{new}");
    plan.changes.first().map(|change| change.effect)
}

fn keys(block: &Block, path: &str, found: &mut BTreeSet<String>) {
    // A profile is nothing of the runners' own: what it gives is compared like what is written in the egg.
    let attributes = block.attributes.iter().filter(|attribute| attribute.ty != Type::Profile);
    for attribute in attributes.chain(&block.free_attributes) {
        found.insert(format!("{path}{}", attribute.name));
    }
    for child in block.blocks.iter().filter(|child| !matches!(child.times, Times::Never(_))) {
        let name = child.block.name;
        let below =
            if matches!(name, "repositories" | "repo") { path.to_owned() } else { format!("{path}{name}.") };
        keys(child.block, &below, found);
    }
}

#[test]
fn every_attribute_of_an_egg_has_its_effect() {
    let mut all = BTreeSet::new();
    keys(&EGG, "", &mut all);
    keys(&EGGSBUCKET, "", &mut all);
    let told: BTreeSet<String> = RULES.iter().map(|rule| rule.path.to_owned()).collect();
    assert_eq!(told, all, "flyc/src/plan/effects.rs says what each attribute of fly-std's egg does");
    for provider in Provider::ALL {
        for path in &all {
            assert!(find(path, provider).is_some(), "{path} on {}", provider.name());
        }
    }
    for rule in RULES {
        assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{}", rule.path);
    }
}

/// Each attribute with two values that differ in what is made of them.
const VARIED: &[(&str, &str, &str)] = &[
    ("cloud.image", "\"debian-12\"", "\"ubuntu-2404-lts\""),
    ("cloud.subnet", "\"e9b1\"", "\"e9b2\""),
    ("cloud.network", "\"enp1\"", "\"enp2\""),
    ("resources.cpu", "2", "8"),
    ("resources.memory", "4GiB", "32GiB"),
    ("resources.disk", "40GiB", "20GiB"),
    ("runner.tags", "[\"a\"]", "[\"b\"]"),
    ("runner.concurrent", "1", "2"),
    ("runner.idle_timeout", "10m", "20m"),
    ("runner.timeout", "1h", "2h"),
    ("runner.run_untagged", "false", "true"),
    ("runner.protected", "false", "true"),
    ("runner.executor", "\"docker\"", "\"shell\""),
    ("runner.image", "\"debian:12\"", "\"debian:13\""),
    ("runner.privileged", "false", "true"),
    ("runner.ephemeral", "false", "true"),
    ("gitlab.server", "\"one.example.com\"", "\"two.example.com\""),
    ("gitlab.project_id", "1", "2"),
    ("gitlab.group_id", "1", "2"),
    ("gitlab.api_token_secret", "\"vault://a/b\"", "\"vault://c/d\""),
    ("gitlab.token_secret", "\"vault://a/b\"", "\"vault://c/d\""),
    ("gitlab.webhook_secret", "\"vault://a/b\"", "\"vault://c/d\""),
    ("environment.NAME", "\"a\"", "\"b\""),
    ("rift.name", "\"one\"", "\"two\""),
    ("rift.docker", "true", "false"),
    ("rift.cache", "true", "false"),
];

#[test]
fn a_container_is_attached_to_its_network() {
    let network = |kind, id| egg(kind, &[("cloud", &format!("network = \"{id}\""))]);
    let of = |kind| effect(&network(kind, "enp1"), &network(kind, "enp2"));
    assert_eq!(of("serverless"), Some(Effect::NewRunners));
    assert_eq!(of("vm"), Some(Effect::Orchestrator));
}

#[test]
fn what_becomes_of_a_rift_server_is_said() {
    let said = |cloud: &str, old: &str, new: &str| {
        let file = |lines| {
            format!("rift \"main\" {{\n  cloud {{\n    provider = \"{cloud}\"\n  }}\n\n{lines}\n}}\n")
        };
        let plan = plan(&[("MG/config.fly", &file(old))], &[("MG/config.fly", &file(new))]);
        let change = plan.changes.into_iter().next().unwrap();
        assert_eq!(change.effect, Effect::Orchestrator, "runners stay as they are");
        change.consequence
    };
    let resources = "  resources {\n    cpu = 4\n  }";
    for (cloud, old, new, words) in [
        ("yandex", "  port = 8443", "  port = 8444", "needs a new ticket"),
        (
            "aws",
            "  cache {\n    max_age = 1d\n  }",
            "  cache {\n    max_age = 2d\n  }",
            "takes over the cache",
        ),
        ("aws", "", "  cache {\n    max_size = 900GiB\n  }", "disk grows"),
        ("yandex", "", resources, "stops the server's machine for a minute"),
        ("yandex", resources, &format!("  port = 1\n{resources}"), "makes a new machine"),
        ("local", "  port = 8443", "  port = 8444", "process anew; its cache stays"),
    ] {
        let said = said(cloud, old, new);
        assert!(said.contains(words), "{cloud}: {old} -> {new}: {said}");
    }
}

/// On a cloud, what the table says reaches new runners is in what their machines are made of: else the plan would have
/// told that nothing happens to runners.
#[test]
fn what_is_generated_agrees_with_the_table() {
    for provider in [Provider::Yandex, Provider::Aws] {
        let on = format!("provider = \"{}\"", provider.name());
        for (path, one, other) in VARIED {
            let (block, name) = path.split_once('.').unwrap();
            let with = |value: &str| {
                let line = format!("{name} = {value}");
                let mut blocks = vec![("cloud", on.as_str()), (block, line.as_str())];
                if path.starts_with("rift.") && name != "name" {
                    blocks.push(("rift", "name = \"one\""));
                }
                if *path == "runner.run_untagged" {
                    // Runners that take neither are refused.
                    blocks.push(("runner", "tags = [\"docker\"]"));
                }
                egg("vm", &blocks)
            };
            let found = effect(&with(one), &with(other)).unwrap_or_else(|| panic!("{path} changes nothing"));
            // The other secrets move with the server.
            assert_eq!(found, find(path, provider).unwrap().effect, "{path} on {}", provider.name());
            assert_eq!(effect(&with(one), &with(one)), None, "{path}");
        }
    }
    let varied: BTreeSet<&str> = VARIED.iter().map(|(path, ..)| *path).collect();
    let apart = ["type", "cloud.provider", "cloud.region", "cloud.zone"];
    let rest: BTreeSet<&str> =
        RULES.iter().map(|rule| rule.path).filter(|path| !varied.contains(path)).collect();
    assert_eq!(rest, BTreeSet::from(apart), "these have a test of their own");
}

#[test]
fn places_and_kinds_of_machine() {
    let cloud = |line: &str| egg("vm", &[("cloud", line)]);
    let of = |old: &str, new: &str| effect(old, new);
    assert_eq!(of(&egg("vm", &[]), &egg("serverless", &[])), Some(Effect::Replaced));
    assert_eq!(of(&cloud(""), &cloud("provider = \"aws\"")), Some(Effect::Replaced));
    assert_eq!(of(&cloud(""), &cloud("zone = \"ru-central1-b\"")), Some(Effect::NewRunners));
    let aws = |line: &str| egg("vm", &[("cloud", "provider = \"aws\""), ("cloud", line)]);
    assert_eq!(of(&aws(""), &aws("region = \"us-east-1\"")), Some(Effect::Replaced));
    assert_eq!(of(&aws(""), &aws("zone = \"eu-central-1b\"")), Some(Effect::Orchestrator));
}

/// Nothing about an egg changes a machine that exists: the Compute Modules ignore it.
#[test]
fn a_machine_that_exists_keeps_its_shape() {
    // Which runner it is and whose: names and labels, which the table calls `labels`.
    const MARKS: &[&str] = &["name", "description", "labels", "tags", "volume_tags"];
    const FIXED: &[&str] = &["instance_initiated_shutdown_behavior", "lifecycle"];
    for (provider, kind) in [(Provider::Yandex, "yandex_compute_instance"), (Provider::Aws, "aws_instance")] {
        let files = lower::compute_module(provider);
        let (_, text) = files.iter().find(|(path, _)| path.ends_with("/main.tf")).unwrap();
        let body: Body = text.parse().unwrap();
        let machine =
            body.blocks().find(|block| block.labels.iter().any(|label| label.as_str() == kind)).unwrap();
        let lifecycle = machine.body.get_blocks("lifecycle").next().unwrap();
        let ignored: Vec<String> = match &lifecycle.body.get_attribute("ignore_changes").unwrap().value {
            hcl_edit::expr::Expression::Array(names) => {
                names.iter().map(|name| name.to_string().trim().to_owned()).collect()
            }
            other => panic!("{other}"),
        };
        for structure in &machine.body {
            let name = match structure {
                Structure::Attribute(attribute) => attribute.key.as_str(),
                Structure::Block(block) => block.ident.as_str(),
            };
            let kept = ignored.iter().any(|ignored| ignored == name);
            assert!(
                kept || MARKS.contains(&name) || FIXED.contains(&name),
                "{name} of {kind} can change a machine that exists; the table of effects says nothing can"
            );
        }
    }
}

#[test]
fn formatting_and_comments_change_nothing() {
    let one = egg("vm", &[("resources", "memory = 4GiB")]);
    let other = egg("vm", &[("resources", "# as before\n    memory=4096")]);
    assert_eq!(effect(&one, &other), None);
}

#[test]
fn the_same_machine_under_another_number_reaches_no_runner() {
    let cpu = |count: &str| egg("vm", &[("resources", &format!("cpu = {count}"))]);
    assert_eq!(effect(&cpu("3"), &cpu("4")), Some(Effect::Orchestrator));
}

#[test]
fn the_name_of_the_nest_reaches_the_labels_of_every_machine() {
    let nest = |name: &str| format!("nest {{\n  name = \"{name}\"\n}}\n");
    let egg = egg("vm", &[]);
    let plan = plan(
        &[("Eggs/a/config.fly", &egg), ("nest.fly", &nest("one"))],
        &[("Eggs/a/config.fly", &egg), ("nest.fly", &nest("two"))],
    );
    let told: Vec<_> = plan.changes.iter().map(|change| (change.title(), change.effect)).collect();
    assert_eq!(
        told,
        [("nest \"two\"".to_owned(), Effect::Orchestrator), ("egg \"a\"".to_owned(), Effect::Labels)]
    );
}

#[test]
fn the_order_of_rules_is_a_change_and_a_new_rule_is_no_new_order() {
    let rule = |name: &str| {
        format!("    rule \"{name}\" {{\n      condition = \"age > 1h\"\n      action = \"alert\"\n    }}\n")
    };
    let fox = |names: &[&str]| {
        let rules: String = names.iter().map(|name| rule(name)).collect();
        format!("uglyfox {{\n  policies {{\n{rules}  }}\n}}\n")
    };
    let paths = |old: &[&str], new: &[&str]| -> Vec<String> {
        let plan = plan(&[("UF/config.fly", &fox(old))], &[("UF/config.fly", &fox(new))]);
        plan.changes.iter().flat_map(|change| &change.attributes).map(|found| found.path.clone()).collect()
    };
    assert_eq!(paths(&["a", "b"], &["b", "a"]), ["policies.rule"]);
    assert_eq!(paths(&["a"], &["a", "b"]), ["policies.rule.b.action", "policies.rule.b.condition"]);
    assert_eq!(paths(&["a", "b"], &["b", "a", "c"]), ["policies.rule.c.action", "policies.rule.c.condition"]);
    assert!(paths(&["a", "b"], &["a", "b"]).is_empty());
}

#[test]
fn what_an_error_leaves_unknown_is_not_compared() {
    let broken = egg("vm", &[("resources", "memroy = 4GiB")]);
    let whole = egg("vm", &[("resources", "memory = 8GiB")]);
    let old = snapshot(&[("Eggs/a/config.fly", &broken)]);
    let new = snapshot(&[("Eggs/a/config.fly", &whole)]);
    let plan = compare(&old, &new).unwrap();
    assert!(plan.changes.is_empty());
    assert_eq!(plan.not_compared[0].name, "a");
    // What is gone is gone, whatever it was.
    let plan = compare(&old, &snapshot(&[])).unwrap();
    assert_eq!((plan.changes.len(), plan.changes[0].action), (1, Action::Removed));
}

#[test]
fn no_secret_and_no_markup_of_others_is_in_a_plan() {
    let secret = |key: &str, text: &str| {
        egg(
            "vm",
            &[
                ("gitlab", &format!("token_secret = \"vault://hidden/{key}\"")),
                ("environment", &format!("TEXT = \"see {text} vault://hidden/{key}\"")),
            ],
        )
    };
    let markup = "`|</details> @all";
    let plan =
        plan(&[("Eggs/a/config.fly", &secret("one", ""))], &[("Eggs/a/config.fly", &secret("two", markup))]);
    let against = Against { revision: "main".into(), commit: "0".repeat(40), notes: Vec::new() };
    let forms = [text(&plan, &against, false), markdown(&plan, &against), json(&plan, &against).unwrap()];
    for form in &forms {
        assert!(!form.contains("hidden"), "{form}");
        assert!(form.contains("vault://***MASKED***"), "{form}");
    }
    let row = forms[1].lines().find(|line| line.contains("environment.TEXT")).unwrap();
    assert!(row.contains("`` \"see `\\|</details> @all vault://***MASKED***\" ``"), "{row}");
    assert!(forms[0].contains("vault://***MASKED*** -> vault://***MASKED*** (another one)"), "{}", forms[0]);
}
