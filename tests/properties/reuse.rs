//! What an edit makes the compiler do again, counted in executed queries.

use std::sync::{Arc, Mutex};

use flyc::{
    check::{check_file, check_nest},
    db::{Database, Nest, SourceFile},
};
use salsa::Setter;

/// A Nest of one job and some eggs that tells what it executes.
struct Observed {
    db: Database,
    nest: Nest,
    files: Vec<SourceFile>,
    executed: Arc<Mutex<Vec<String>>>,
}

const JOB: &str = "job \"nightly\" {\n  schedule = \"0 2 * * *\"\n  script   = \"make\"\n}\n";

fn observed(eggs: usize) -> Observed {
    let executed = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&executed);
    let db = Database::observed(move |query| log.lock().unwrap().push(query.to_owned()));
    let mut files: Vec<SourceFile> = (0..eggs)
        .map(|at| {
            let text = format!(
                "egg \"e{at}\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = {}\n  }}\n}}\n",
                at + 1
            );
            SourceFile::new(&db, format!("Eggs/e{at}/config.fly").into(), text.into())
        })
        .collect();
    files.push(SourceFile::new(&db, "Jobs/nightly.fly".into(), JOB.into()));
    let nest = Nest::new(&db, files.clone().into(), false);
    Observed { db, nest, files, executed }
}

impl Observed {
    /// Checks everything and tells which queries that took.
    fn check(&self) -> Vec<String> {
        self.executed.lock().unwrap().clear();
        for &file in &self.files {
            check_file(&self.db, file);
        }
        check_nest(&self.db, self.nest);
        let mut executed = self.executed.lock().unwrap().clone();
        for query in &mut executed {
            query.truncate(query.find('(').unwrap_or(query.len()));
        }
        executed.sort_unstable();
        executed
    }

    fn edit(&mut self, file: usize, text: &str) {
        self.files[file].set_text(&mut self.db).to(text.into());
    }
}

fn count(executed: &[String], query: &str) -> usize {
    executed.iter().filter(|executed| *executed == query).count()
}

#[test]
fn property_edits_check_only_what_they_touch() {
    let mut nest = observed(20);
    let cold = nest.check();
    assert_eq!(count(&cold, "check_file"), 21, "{cold:?}");
    assert_eq!(nest.check(), Vec::<String>::new());

    // A job's script: its own file, and its outline, which comes out the same.
    nest.edit(20, &JOB.replace("make", "make test && make install"));
    let warm = nest.check();
    for query in ["parse", "typed", "check_file", "outline"] {
        assert_eq!(count(&warm, query), 1, "{query} of {warm:?}");
    }
    assert_eq!((count(&warm, "index"), count(&warm, "check_nest")), (0, 0), "{warm:?}");

    // The name of an egg: the rules between files too, but no other file.
    let text = "egg \"other\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 1\n  }\n}\n";
    nest.edit(3, text);
    let warm = nest.check();
    assert_eq!((count(&warm, "typed"), count(&warm, "check_file")), (1, 1), "{warm:?}");
    assert_eq!((count(&warm, "index"), count(&warm, "check_nest")), (1, 1), "{warm:?}");
}

/// A `nest.fly` in which everything is used that eggs can share.
const SHARED: &str = r#"nest {
  name = "platform"

  variables {
    region = "ru-central1-b"
  }
}

variable "region" {
  type    = string
  default = "ru-central1-a"
}

variable "tags" {
  type    = list<string>
  default = ["docker"]
}

locals {
  base = concat(var.tags, ["linux"])
  size = 4GiB
}

profile "even" {
  type = "vm"

  cloud {
    region = var.region
  }

  resources {
    memory = local.size
  }
}

profile "odd" {
  type = "vm"

  resources {
    memory = 2 * local.size
  }
}

assert "named" {
  over      = egg
  condition = length(egg.runner.tags) > 1
  message   = "eggs have tags"
}
"#;

/// A Nest whose eggs share profiles, variables and locals; `nest.fly` is its last file but one.
fn sharing(eggs: usize) -> Observed {
    let executed = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&executed);
    let db = Database::observed(move |query| log.lock().unwrap().push(query.to_owned()));
    let mut files: Vec<SourceFile> = (0..eggs)
        .map(|at| {
            let profile = if at % 2 == 0 { "even" } else { "odd" };
            let text = format!(
                "egg \"e{at}\" {{\n  extends = profile.{profile}\n  runner {{\n    tags = concat(local.base, \
                 [upper(\"e{at}\"), self.image])\n    image = \"debian:12\"\n  }}\n  gitlab {{\n    project_id = {}\n  \
                 }}\n}}\n",
                at + 1
            );
            SourceFile::new(&db, format!("Eggs/e{at:04}/config.fly").into(), text.into())
        })
        .collect();
    files.push(SourceFile::new(&db, "Jobs/nightly.fly".into(), JOB.into()));
    files.push(SourceFile::new(&db, "nest.fly".into(), SHARED.into()));
    let nest = Nest::new(&db, files.clone().into(), false);
    Observed { db, nest, files, executed }
}

#[test]
fn property_shared_definitions_check_only_their_users() {
    let mut nest = sharing(20);
    let (job, shared) = (20, 21);
    let cold = nest.check();
    assert_eq!(count(&cold, "check_file"), 22, "{cold:?}");
    for file in &nest.files {
        assert_eq!(check_file(&nest.db, *file), &[], "{:?}", file.path(&nest.db));
    }

    // A script: no egg at all.
    nest.edit(job, &JOB.replace("make", "make test && make install"));
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (1, 1), "{warm:?}");

    // One profile: the eggs that extend it, and nest.fly, although the rest of it has moved.
    let text = SHARED.replace("memory = local.size", "memory = local.size\n    cpu    = 4");
    nest.edit(shared, &text);
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (11, 11), "{warm:?}");

    // A comment above everything: nest.fly alone.
    let text = format!("# Ours\n\n{text}");
    nest.edit(shared, &text);
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (1, 1), "{warm:?}");

    // A variable that one profile uses: those who extend it.
    let text = text.replace("\"ru-central1-b\"", "\"ru-central1-d\"");
    nest.edit(shared, &text);
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (11, 11), "{warm:?}");

    // A local that every egg uses.
    let text = text.replace("[\"linux\"]", "[\"linux\", \"amd64\"]");
    nest.edit(shared, &text);
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (21, 21), "{warm:?}");

    // A rule: every check, and no type but those of nest.fly.
    nest.edit(shared, &text.replace("> 1", "> 2"));
    let warm = nest.check();
    assert_eq!((count(&warm, "check_file"), count(&warm, "typed")), (22, 1), "{warm:?}");
}
