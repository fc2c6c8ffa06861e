//! Which edits join the facts of all files anew, and that the join is linear.

use std::sync::{Arc, Mutex};

use salsa::Setter;

use super::*;
use crate::{check::check_nest, db::Database};

fn egg(name: &str, project: usize, tag: &str) -> String {
    format!(
        "egg \"{name}\" {{\n  type = \"vm\"\n  runner {{\n    tags = [\"{tag}\"]\n  }}\n  gitlab {{\n    project_id = {project}\n  }}\n}}\n"
    )
}

fn nest(db: &dyn Db, texts: &[String]) -> (Nest, Vec<SourceFile>) {
    let file = |(at, text): (usize, &String)| {
        SourceFile::new(db, format!("Eggs/egg-{at:05}/config.fly").into(), text.as_str().into())
    };
    let files: Vec<SourceFile> = texts.iter().enumerate().map(file).collect();
    (Nest::new(db, files.clone().into(), false), files)
}

#[test]
fn an_edit_that_claims_nothing_else_joins_nothing_anew() {
    let ran: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&ran);
    let mut db = Database::observed(move |query| notes.lock().unwrap().push(query.to_owned()));
    let (nest, files) = nest(&db, &[egg("a", 1, "x"), egg("b", 1, "y"), egg("c", 2, "x")]);
    assert_eq!(check_nest(&db, nest), &[]);
    let joins = || {
        let ran = std::mem::take(&mut *ran.lock().unwrap());
        ran.iter().filter(|query| query.starts_with("joined")).count()
    };
    assert_eq!(joins(), 1);

    // A comment moves every position below it, and a machine's size is nobody else's.
    let text = format!(
        "# by us\n{}",
        egg("b", 1, "y").replace("type = \"vm\"", "type = \"vm\"\n  resources {\n    cpu = 4\n  }")
    );
    files[1].set_text(&mut db).to(text.as_str().into());
    assert_eq!(check_nest(&db, nest), &[]);
    assert_eq!(joins(), 0);

    files[1].set_text(&mut db).to(egg("b", 1, "x").as_str().into());
    let found = check_nest(&db, nest);
    assert_eq!((found.len(), joins()), (1, 1));
    assert_eq!(found[0].kind.id, "overlapping-eggs");

    // The place is looked up anew when it moves, and only then.
    files[1].set_text(&mut db).to(format!("\n\n{}", egg("b", 1, "x")).as_str().into());
    let moved = check_nest(&db, nest)[0].span.range;
    assert_eq!(joins(), 0);
    assert_eq!(moved.len(), 1.into());
}

#[test]
fn many_eggs_of_one_project_are_told_once_each() {
    let db = Database::default();
    let texts: Vec<String> = (0..300).map(|at| egg(&format!("e{at}"), 1, "x")).collect();
    let (nest, _) = nest(&db, &texts);
    let found = check_nest(&db, nest);
    assert_eq!(found.len(), 299);
    assert!(found.iter().all(|found| found.message.starts_with("`e0` and")));
}
