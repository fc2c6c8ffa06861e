//! Builds: nothing in them that must not be, and going on from another build comes to the same as building all anew.

use std::collections::BTreeMap;

use flyc::{
    artifact::{Artifact, EggConfig, Manifest},
    build::{Build, Options, Previous},
    compiler::Compiler,
    lower::Backend,
    render::mask,
};
use hcl_edit::{
    structure::Body,
    template::{Directive, Interpolation},
    visit::Visit,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{cases, generate::config, told};

fn compiler(files: &[(String, String)]) -> Compiler {
    Compiler::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

/// The templates within a text of OpenTofu, as they are written.
#[derive(Default)]
struct Templates(Vec<String>);

impl Visit for Templates {
    fn visit_interpolation(&mut self, node: &Interpolation) {
        self.0.push(node.expr.to_string());
        hcl_edit::visit::visit_interpolation(self, node);
    }

    fn visit_directive(&mut self, node: &Directive) {
        self.0.push(format!("{node:?}"));
        hcl_edit::visit::visit_directive(self, node);
    }
}

fn templates(text: &str) -> Vec<String> {
    let mut templates = Templates::default();
    templates.visit_body(&text.parse::<Body>().unwrap());
    templates.0
}

fn is_tofu(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, kind)| kind == "tf")
}

/// Whether a text tells when it was made: a date with a time, or the seconds of this age.
fn tells_a_time(text: &str) -> bool {
    let seconds =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let bytes = text.as_bytes();
    let has_date = bytes.windows(11).any(|part| {
        part.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            10 => matches!(byte, b'T' | b' '),
            _ => byte.is_ascii_digit(),
        })
    });
    // A number of its own, in seconds or parts of them, of about this day; digests have digits too.
    let is_now = |word: &str| {
        [10, 13, 16, 19].contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_digit())
            && word.starts_with(&seconds[..5])
    };
    has_date || text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_now)
}

/// What holds of every file of a build.
fn is_pure(build: &Build) -> Result<(), TestCaseError> {
    for (path, text) in &build.files {
        // Where a secret is kept is told in the configurations alone, to the runner in what it reads, and to MotherGoose's
        // services in their environment.
        let name = path.rsplit('/').next().unwrap();
        let names_secrets =
            matches!(name, "config.json" | "egg.json" | "server.json" | "uglyfox.json" | "cloud-init.yaml");
        let names_secrets = names_secrets || path.starts_with("mothergoose/");
        prop_assert!(names_secrets || mask(text) == text.as_str(), "{}:\n{}", path, text);
        for place in [env!("CARGO_MANIFEST_DIR"), "/home/", "/root/", "/tmp/"] {
            prop_assert!(!text.contains(place), "{} names {}", path, place);
        }
    }
    Ok(())
}

/// Every entry is whole.
fn all(manifest: &Manifest) -> Vec<bool> {
    vec![true; manifest.entries.len()]
}

/// Texts of people who would like to be read as something else.
fn hostile() -> impl Strategy<Value = String> {
    let part = select(vec![
        "${",
        "%{",
        "$${",
        "%%{",
        "$",
        "%",
        "{",
        "}",
        "evil",
        "var.evil",
        " if evil ",
        "~}",
        "\"",
        "\\",
        "\n",
        "EOT",
        " ",
        "file(\"/x\")",
        "endif",
        "ё",
        "#",
        "'",
    ]);
    vec(part, 1..12).prop_map(|parts| parts.concat())
}

/// A text as Fly has it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${")
}

/// A choice for each thing an egg can depend on beside its own file.
#[derive(Debug, Clone, PartialEq)]
struct World {
    nest: &'static str,
    server: &'static str,
    disk: u32,
    image: &'static str,
    rift: &'static str,
    local_tag: &'static str,
    asset: &'static str,
    comment: &'static str,
    backend: Option<Backend>,
    eggs: Vec<Option<&'static str>>,
}

fn world() -> impl Strategy<Value = World> {
    let eggs = vec(
        proptest::option::weighted(
            0.8,
            select(vec![
                "  resources {\n    cpu = 2\n  }\n",
                "  environment {\n    A = \"a\"\n  }\n",
                "  rift {\n  }\n",
                "  runner {\n    tags = local.tags\n    image = var.image\n  }\n",
                "  environment {\n    A = file(\"note.txt\")\n  }\n",
                "# Only a comment.\n",
            ]),
        ),
        4,
    );
    (
        (
            select(vec!["one", "two"]),
            select(vec!["gitlab.com", "gitlab.example.com"]),
            select(vec![20_u32, 30]),
        ),
        (select(vec!["debian:12", "alpine:3"]), select(vec!["main", "other"]), select(vec!["x", "y"])),
        (select(vec!["hello", "bye"]), select(vec!["", "# Moved.\n"])),
        select(vec![None, Some(Backend::Local)]),
        eggs,
    )
        .prop_map(|((nest, server, disk), (image, rift, local_tag), (asset, comment), backend, eggs)| {
            World { nest, server, disk, image, rift, local_tag, asset, comment, backend, eggs }
        })
}

impl World {
    fn compiler(&self) -> Compiler {
        let Self { nest, server, disk, rift, local_tag, comment, .. } = self;
        let mut files = vec![
            (
                "nest.fly".to_owned(),
                format!(
                    "{comment}nest {{\n  edition = 2026\n  name = \"{nest}\"\n  gitlab {{\n    server = \"{server}\"\n  }}\n}}\n\
                     locals {{\n  tags = [\"docker\", \"{local_tag}\"]\n}}\n\
                     variable \"image\" {{\n  type = string\n  default = \"none:1\"\n}}\n\
                     profile \"all\" {{\n  type = \"vm\"\n  resources {{\n    disk = {disk}GiB\n  }}\n}}\n"
                ),
            ),
            ("MG/config.fly".to_owned(), format!("rift \"{rift}\" {{\n}}\n")),
        ];
        for (number, body) in self.eggs.iter().enumerate() {
            if let Some(body) = body {
                // Two eggs share a file.
                let file = format!("Eggs/e{}/config.fly", number / 2);
                let egg = format!(
                    "egg \"e{number}\" {{\n  extends = profile.all\n{body}  gitlab {{\n    project_id = {}\n  }}\n}}\n",
                    number + 1
                );
                match files.iter_mut().find(|(path, _)| *path == file) {
                    Some((_, text)) => text.push_str(&egg),
                    None => files.push((file, egg)),
                }
            }
        }
        let mut compiler = compiler(&files);
        compiler.set_variables(BTreeMap::from([("image".into(), self.image.into())]));
        let reads = compiler.reads();
        compiler.set_assets(reads.into_iter().map(|path| (path, Ok(self.asset.into()))));
        compiler
    }

    fn options(&self) -> Options {
        Options { backend: self.backend, ..Options::default() }
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn property_builds_are_pure(config in config()) {
        let mut files = config.nest(&config.print().text);
        let Ok(build) = compiler(&files).build(&Options::default()) else { return Err(TestCaseError::reject("errors")) };
        files.reverse();
        let again = compiler(&files).build(&Options::default()).unwrap();
        prop_assert_eq!(&build, &again, "the order of files makes no difference");
        is_pure(&build)?;
        for (path, text) in &build.files {
            // Durations and sizes are numbers too, but of the author's own.
            if !path.ends_with("config.json") && !path.ends_with("uglyfox.json") && !path.contains("cloud-init") {
                prop_assert!(!tells_a_time(text), "{}:\n{}", path, text);
            }
        }
    }

    #[test]
    fn property_no_template_comes_from_a_text(
        texts in vec(hostile(), 3),
        provider in select(&["yandex", "aws"][..]),
    ) {
        let text = |at: usize| quoted(&format!("x{}", texts[at]));
        let egg = format!(
            "egg \"a\" {{\n  type = \"vm\"\n  cloud {{\n    provider = \"{provider}\"\n    image = {}\n  }}\n  \
             environment {{\n    A = {}\n    B = {}\n  }}\n  gitlab {{\n    project_id = 1\n  }}\n}}\n",
            text(0), text(1), text(2)
        );
        let compiler = Compiler::new([("Eggs/a/config.fly", egg.as_str())]);
        let build = compiler.build(&Options::default()).map_err(|found| TestCaseError::fail(told(&found)))?;
        is_pure(&build)?;
        for (path, text) in build.files.iter().filter(|(path, _)| is_tofu(path)) {
            for template in templates(text) {
                prop_assert!(!template.contains("evil"), "{}: {}", path, template);
            }
        }
        // What was written is what is meant, so nothing was escaped away.
        let config = EggConfig::from_json(&build.files["eggs/a/config.json"]).unwrap();
        prop_assert_eq!(config.cloud.image, format!("x{}", texts[0]));
        let body: Body = build.files["eggs/a/data.tf"].parse().unwrap();
        let data = body.get_blocks("data").next().unwrap();
        let image = match data.body.get_blocks("filter").next() {
            Some(filter) => filter.body.get_attribute("values").unwrap().value.as_array().unwrap().get(0).unwrap(),
            None => &data.body.get_attribute("family").unwrap().value,
        };
        prop_assert_eq!(image.as_str().map(str::to_owned), Some(format!("x{}", texts[0])));
    }

    /// Whatever changes between two builds, the second gives the same files whether it goes on from the first or not.
    #[test]
    fn property_going_on_from_a_build_changes_nothing(before in world(), after in world(), same in 0_u32..1024) {
        // Most of it stays as it was.
        let mut after = after;
        let keep = |bit: u32| same & (1 << bit) != 0;
        if keep(0) { after.nest = before.nest; }
        if keep(1) { after.server = before.server; }
        if keep(2) { after.disk = before.disk; }
        if keep(3) { after.image = before.image; }
        if keep(4) { after.rift = before.rift; }
        if keep(5) { after.local_tag = before.local_tag; }
        if keep(6) { after.asset = before.asset; }
        if keep(7) { after.comment = before.comment; }
        if keep(8) { after.backend = before.backend; }
        if keep(9) { after.eggs[..2].clone_from_slice(&before.eggs[..2]); }
        let first = before.compiler().build(&before.options()).unwrap();
        let compiler = after.compiler();
        let full = compiler.build(&after.options()).unwrap();
        prop_assert_eq!(&full.kept, &None);
        let previous = Previous::new(&first.files["manifest.json"], all).unwrap();
        let build = compiler.build_after(&after.options(), &previous).unwrap();
        prop_assert_eq!(&build.manifest, &full.manifest);
        let mut files = build.files.clone();
        let mut kept = 0;
        for path in build.manifest.entries.iter().flat_map(|entry| &entry.files) {
            if !files.contains_key(path) {
                files.insert(path.clone(), first.files[path].clone());
                kept += 1;
            }
        }
        prop_assert_eq!(&files, &full.files);
        prop_assert_eq!(kept, build.kept.map_or(0, |kept| kept.files));
        if before == after && before.eggs.iter().any(Option::is_some) {
            prop_assert!(kept > 0, "what is equal stays");
        }
        // What is not whole on disk is made anew.
        let torn = Previous::new(&first.files["manifest.json"], |_| Vec::new()).unwrap();
        prop_assert_eq!(compiler.build_after(&after.options(), &torn).unwrap(), full);
    }
}

#[test]
fn an_equal_nest_is_left_as_it_is() {
    let files = [(
        "Eggs/a/config.fly".to_owned(),
        "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 1\n  }\n}\n".to_owned(),
    )];
    let first = compiler(&files).build(&Options::default()).unwrap();
    let previous = Previous::new(&first.files["manifest.json"], all).unwrap();
    let second = compiler(&files).build_after(&Options::default(), &previous).unwrap();
    assert!(second.files.keys().all(|path| !path.starts_with("eggs/")));
    assert_eq!(second.manifest, first.manifest);
    assert_eq!(
        second.kept.unwrap().files,
        first.files.keys().filter(|path| path.starts_with("eggs/")).count()
    );
    assert!(
        Manifest::from_json(&first.files["manifest.json"]).unwrap().entries[0].modules
            == ["compute-module/yandex"]
    );
}

#[test]
fn a_time_is_known_when_it_is_seen() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for text in [format!("\"{now}\""), format!("{now}123"), "made 2026-01-02T03:04:05Z".to_owned()] {
        assert!(tells_a_time(&text), "{text}");
    }
    for text in ["2026", "10.10.0", "2026-01-02", "136693071363"] {
        assert!(!tells_a_time(text), "{text}");
    }
}
