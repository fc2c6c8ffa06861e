//! Names for values, wherever they stand: property 4, and property 4c for what secrets become on the way.

use std::{collections::BTreeMap, fmt::Write};

use fly_std::{Type, Value};
use flyc::{
    compiler::Compiler,
    diag::Severity,
    render::{OutputFormat, Report, Style, render, render_full},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{cases, values};

/// Types of variables, and an attribute of an environment that takes their text.
const TYPES: &[(&str, Type)] = &[
    ("string", Type::String),
    ("int", Type::Int { min: 0, max: 100_000 }),
    ("bool", Type::Bool),
    ("duration", Type::Duration { min: 1, max: 100_000, bare: false }),
    ("percent", Type::Percent),
    ("name", Type::Name),
    ("cron", Type::Cron),
    ("fqdn", Type::Fqdn),
];

/// The formats besides the full one.
const FORMATS: &[OutputFormat] = &[
    OutputFormat::Concise,
    OutputFormat::Json,
    OutputFormat::Jsonl,
    OutputFormat::Gitlab,
    OutputFormat::Sarif,
    OutputFormat::Junit,
    OutputFormat::Github,
];

/// How a variable gets its value.
#[derive(Debug, Clone, Copy)]
enum Way {
    Default,
    NestFile,
    CommandLine,
}

fn environment(compiler: &Compiler) -> BTreeMap<String, Option<Value>> {
    let typed = compiler.typed("Eggs/a/config.fly").unwrap();
    let block = typed.blocks[0].block("environment").unwrap();
    block.attributes.iter().map(|a| (a.name.to_string(), a.value.clone())).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn property_4_variables_stand_for_their_values(
        made in vec((select(TYPES), select(vec![Way::Default, Way::NestFile, Way::CommandLine])), 1..6)
            .prop_flat_map(|kinds| {
                kinds
                    .into_iter()
                    .map(|((name, ty), way)| {
                        (Just(name), values::value(ty), values::value(ty), Just(way))
                    })
                    .collect::<Vec<_>>()
            }),
        prefix in "[a-z ]{0,5}",
    ) {
        let (mut declared, mut given, mut locals, mut used) =
            (String::new(), String::new(), String::new(), String::new());
        let mut outside = BTreeMap::new();
        let mut expected = BTreeMap::new();
        for (at, (ty, written, other, way)) in made.iter().enumerate() {
            let (source, value) = (&written.source, &written.value);
            let default = match way {
                Way::Default => source,
                Way::NestFile => {
                    let _ = writeln!(given, "    v{at} = {source}");
                    &other.source
                }
                Way::CommandLine => {
                    let text = value.to_text().unwrap();
                    outside.insert(format!("v{at}").into(), text);
                    &other.source
                }
            };
            let _ = writeln!(declared, "variable \"v{at}\" {{\n  type = {ty}\n  default = {default}\n}}");
            let _ = writeln!(locals, "  l{at} = var.v{at}");
            let _ = write!(
                used,
                "    DIRECT{at} = \"${{var.v{at}}}\"\n    LOCAL{at} = \"{prefix}${{local.l{at}}}\"\n    SELF{at} = self.LOCAL{at}\n"
            );
            let text = value.to_text().unwrap();
            expected.insert(format!("DIRECT{at}"), Some(Value::String(text.clone())));
            for name in ["LOCAL", "SELF"] {
                let text = format!("{prefix}{text}");
                expected.insert(format!("{name}{at}"), Some(Value::String(text.into())));
            }
        }
        let nest = format!("nest {{\n  variables {{\n{given}  }}\n}}\n{declared}\nlocals {{\n{locals}}}\n");
        let egg = format!(
            "egg \"a\" {{\n  type = \"vm\"\n  environment {{\n{used}  }}\n  gitlab {{\n    project_id = 1\n  }}\n}}\n"
        );
        let mut compiler =
            Compiler::new([("nest.fly", nest.as_str()), ("Eggs/a/config.fly", egg.as_str())]);
        compiler.set_variables(outside);
        let found = compiler.check();
        let errors: Vec<_> = found.iter().filter(|found| found.severity() == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:#?}\nin\n{nest}\n{egg}");
        prop_assert_eq!(environment(&compiler), expected);
    }

    /// What an egg inherits is what it would be if it were written in the egg, and the egg's own wins.
    #[test]
    fn property_4_profiles_stand_for_what_they_hold(
        lines in vec((0_usize..7, any::<bool>(), any::<bool>()), 0..10),
        levels in 1_usize..3,
    ) {
        const ATTRIBUTES: &[(&str, &str, &str)] = &[
            ("resources", "cpu = 4", "cpu = 8"),
            ("resources", "memory = 8GiB", "memory = 16GiB"),
            ("resources", "disk = 40GiB", "disk = 50GiB"),
            ("runner", "tags = [\"docker\"]", "tags = [\"linux\", \"x\"]"),
            ("runner", "concurrent = 3", "concurrent = 5"),
            ("environment", "A = \"profile\"", "A = \"egg\""),
            ("cloud", "zone = \"ru-central1-a\"", "zone = \"ru-central1-b\""),
        ];
        let (mut profiles, mut own, mut whole) = (vec![BTreeMap::new(); levels], BTreeMap::new(), BTreeMap::new());
        let mut seen = std::collections::BTreeSet::new();
        for (at, (which, in_egg, in_profile)) in lines.into_iter().enumerate() {
            if !seen.insert(which) {
                continue;
            }
            let (block, inherited, given) = ATTRIBUTES[which];
            let push = |to: &mut BTreeMap<&str, Vec<&str>>, line| to.entry(block).or_default().push(line);
            if in_profile {
                push(&mut profiles[at % levels], inherited);
            }
            if in_egg {
                push(&mut own, given);
            }
            if in_egg || in_profile {
                push(&mut whole, if in_egg { given } else { inherited });
            }
        }
        let blocks = |blocks: &BTreeMap<&str, Vec<&str>>| {
            let text = |(name, lines): (&&str, &Vec<&str>)| format!("  {name} {{\n    {}\n  }}\n", lines.join("\n    "));
            blocks.iter().map(text).collect::<String>()
        };
        let mut nest = String::new();
        for (level, lines) in profiles.iter().enumerate() {
            let extends = if level + 1 < levels { format!("  extends = profile.p-{}\n", level + 1) } else { String::new() };
            let _ = writeln!(nest, "profile \"p-{level}\" {{\n{extends}{}}}", blocks(lines));
        }
        let egg = |head: &str, lines: &BTreeMap<&str, Vec<&str>>| {
            format!("egg \"a\" {{\n{head}  type = \"vm\"\n{}  gitlab {{\n    project_id = 1\n  }}\n}}\n", blocks(lines))
        };
        let build = |egg: String| {
            let compiler = Compiler::new([("nest.fly", nest.as_str()), ("Eggs/a/config.fly", egg.as_str())]);
            let found = compiler.check();
            let errors: Vec<_> = found.iter().filter(|found| found.severity() == Severity::Error).collect();
            assert!(errors.is_empty(), "{errors:#?}\nin\n{nest}\n{egg}");
            let build = compiler.build(&flyc::build::Options::default()).unwrap();
            let config = &build.files["eggs/a/config.json"];
            config.clone()
        };
        prop_assert_eq!(build(egg("  extends = profile.p-0\n", &own)), build(egg("", &whole)));
    }

    /// A secret, or a sensitive value, is in no report of any format, wherever it was put wrongly.
    #[test]
    fn property_4c_secrets_are_masked_in_reports(
        id in "[a-z]{3}[0-9]{5}[a-z]{3}",
        key in "[A-Z]{3}[0-9]{5}[A-Z]{3}",
        scheme in select(vec!["yc-lockbox", "aws-sm", "vault"]),
        sink in select(vec![
            "runner {\n    tags = [local.secret]\n  }",
            "runner {\n    tags = [\"a-${local.secret}\"]\n  }",
            "runner {\n    tags = [var.sensitive]\n  }",
            "runner {\n    tags = [\"a-${var.sensitive}\"]\n  }",
            "runner {\n    image = var.sensitive\n  }",
            "runner {\n    concurrent = var.sensitive\n  }",
            "runner {\n    concurrent = local.secret\n  }",
            "cloud {\n    image = local.secret\n  }",
            "cloud {\n    zone = lower(var.sensitive)\n  }",
            "resources {\n    memory = var.sensitive\n  }",
            "environment {\n    PLAIN = var.sensitive\n  }",
            "environment {\n    ENDS = \"${local.secret}/x\"\n  }",
            "environment {\n    A = local.secret == local.secret ? 1 : 2\n  }",
            "environment {\n    A = local.secret + 1\n  }",
            "environment {\n    A = jsonencode([local.secret])\n  }",
        ]),
    ) {
        let uri = format!("{scheme}://{id}/{key}");
        let plain = format!("{key}{id}");
        let nest = format!(
            "locals {{\n  secret = \"{uri}\"\n}}\nvariable \"sensitive\" {{\n  type = string\n  sensitive = true\n}}\n\
             assert \"a\" {{\n  over = egg\n  condition = egg.name == \"b\" || contains([var.sensitive], egg.type) || \
             egg.gitlab.token_secret == local.secret\n  message = \"no ${{var.sensitive}}\"\n}}\n"
        );
        let egg = format!(
            "egg \"a\" {{\n  type = \"vm\"\n  {sink}\n  gitlab {{\n    project_id = 1\n  }}\n}}\n"
        );
        let mut compiler =
            Compiler::new([("nest.fly", nest.as_str()), ("Eggs/a/config.fly", egg.as_str())]);
        compiler.set_variables(BTreeMap::from([("sensitive".into(), plain.as_str().into())]));
        let diagnostics = compiler.check();
        prop_assert!(!diagnostics.is_empty(), "{egg}");
        let report = Report { diagnostics: &diagnostics, sources: &compiler };
        let mut out = Vec::new();
        render_full(&report, Style { colour: false, unicode: true }, &mut out).unwrap();
        for format in FORMATS {
            render(*format, &report, false, &mut out).unwrap();
        }
        let told = String::from_utf8(out).unwrap();
        prop_assert!(!told.contains(&plain), "{told}");
        // The file itself is shown, with its URI masked.
        prop_assert!(!told.contains(&id) && !told.contains(&key), "{told}");
        let debug = format!("{diagnostics:?}");
        prop_assert!(!debug.contains(&plain));
    }
}
