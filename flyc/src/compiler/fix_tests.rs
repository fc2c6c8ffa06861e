//! Fixing small Nests.

use super::*;

const PATH: &str = "Eggs/a/config.fly";

fn fix(text: &str, least: Applicability) -> (usize, String) {
    let mut compiler = Compiler::new([(PATH, text)]);
    let fixed = compiler.fix(least, &|_| true);
    let after = compiler.text(PATH).unwrap();
    assert_eq!(fixed.files.first().map_or(text, |file| &*file.after), &*after);
    (fixed.findings, after.to_string())
}

fn egg(lines: &str) -> String {
    format!(
        "egg \"a\" {{\n  type = \"vm\"\n  runner {{\n{lines}\n  }}\n  gitlab {{\n    project_id = 7\n  }}\n}}\n"
    )
}

#[test]
fn several_safe_fixes_at_once_and_no_suggested_one() {
    let text = egg("    tags = \"docker\"\n    concurrent = \"3\"\n    executor = shell\n    timeuot = 1h");
    let wanted =
        egg("    tags = [\"docker\"]\n    concurrent = 3\n    executor = \"shell\"\n    timeuot = 1h");
    assert_eq!(fix(&text, Applicability::Safe), (3, wanted.clone()));
    assert_eq!(fix(&text, Applicability::Suggested), (4, wanted.replace("timeuot", "timeout")));
}

#[test]
fn what_would_bring_a_new_error_is_left_and_the_others_are_not() {
    // The right name shows that the value is wrong.
    let text = egg("    concurent = \"many\"\n    concurrent = \"3\"\n    executer = \"shell\"");
    let (count, after) = fix(&text, Applicability::Suggested);
    assert_eq!(
        (count, after),
        (2, egg("    concurent = \"many\"\n    concurrent = 3\n    executor = \"shell\""))
    );
}

#[test]
fn an_edit_that_shows_the_next_mistake_takes_its_edit_along() {
    // One comma shows that the next is missing, and with both the list is read: numbers are no tags.
    let text = egg("    tags = [1 2 3]");
    assert_eq!(fix(&text, Applicability::Safe), (1, egg("    tags = [\"1\", \"2\", \"3\"]")));
    // The right name shows the wrong value, of which nobody knows what it should be.
    let text = egg("    concurent = \"many\"");
    assert_eq!(fix(&text, Applicability::Suggested), (0, text.clone()));
    let text = egg("    concurent = \"3\"");
    assert_eq!(fix(&text, Applicability::Suggested), (1, egg("    concurrent = 3")));
}

#[test]
fn only_what_is_wanted_is_fixed() {
    let text = egg("    concurrent = \"3\"");
    let other = text.replace("egg \"a\"", "egg \"b\"");
    let mut compiler = Compiler::new([(PATH, text.as_str()), ("Eggs/b/config.fly", other.as_str())]);
    let fixed = compiler.fix(Applicability::Safe, &|found| &*found.span.file == PATH);
    assert_eq!((fixed.findings, fixed.files.len(), &*fixed.files[0].path), (1, 1, PATH));
    assert_eq!(compiler.text("Eggs/b/config.fly").as_deref(), Some(other.as_str()));
}

#[test]
fn the_whole_nest_is_the_proof() {
    // The nearest name would be the second condition that speaks of the egg.
    let condition = |name: &str, egg: &str| {
        format!("  runners_condition \"{name}\" {{\n    eggs_entities = [\"{egg}\"]\n  }}\n")
    };
    let uglyfox = format!("uglyfox {{\n{}{}}}\n", condition("one", "my-app"), condition("two", "my-ap"));
    let egg = egg("").replace("\"a\"", "\"my-app\"");
    let mut compiler = Compiler::new([(PATH, egg.as_str()), ("UF/config.fly", uglyfox.as_str())]);
    assert_eq!(compiler.check().len(), 1);
    assert_eq!(compiler.fix(Applicability::Suggested, &|_| true), Fixed::default());
    assert_eq!(compiler.text("UF/config.fly").as_deref(), Some(uglyfox.as_str()));
}
