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
