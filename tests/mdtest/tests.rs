//! Tests of the markdown tests: what is asked for and comes passes, everything else fails.

use super::{Found, Section, compare, parse, replace_output};

const MARKDOWN: &str = "\
# Types

Words about `Eggs/x/config.fly` in the middle: no name.

## memory

```fly
egg \"a\" {
  # error: [type-mismatch] \"wants a \\\"size\\\"\"
  // warning: [odd]

  memory = 3 # error: [range] \"small\" // info: [hint]
}
# error: [missing] \"at the end\"
```

```output
old
```

## two files

`Eggs/a/config.fly`:

```fly
egg \"a\" {}
```

`Eggs/b/config.fly`:

```fly
egg \"a\" {} // error: [duplicate-name] \"`a`\"
```

## no test

```sh
# error: not for us
```
";

fn section(index: usize) -> Section {
    parse(MARKDOWN).unwrap().swap_remove(index)
}

fn found(path: &str, line: usize, severity: &str, id: &str, message: &str) -> Found {
    Found { path: path.into(), line, severity: severity.into(), id: id.into(), message: message.into() }
}

fn as_asked() -> Vec<Found> {
    let path = "Eggs/test/config.fly";
    vec![
        found(path, 5, "error", "type-mismatch", "`memory` wants a \"size\", found an int"),
        found(path, 5, "warning", "odd", "odd"),
        found(path, 5, "error", "range", "too small"),
        found(path, 5, "info", "hint", "a hint"),
        found(path, 8, "error", "missing", "missing at the end"),
    ]
}

#[test]
fn sections_have_names_files_and_outputs() {
    let sections = parse(MARKDOWN).unwrap();
    let names: Vec<_> = sections.iter().map(|section| (section.name.as_str(), section.line)).collect();
    assert_eq!(names, [("Types > memory", 5), ("Types > two files", 21)]);
    assert_eq!(sections[0].files[0].path, "Eggs/test/config.fly");
    assert_eq!(sections[0].output.as_ref().unwrap().text, "old\n");
    let paths: Vec<_> = sections[1].files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["Eggs/a/config.fly", "Eggs/b/config.fly"]);
}

#[test]
fn what_is_asked_for_and_comes_passes() {
    assert_eq!(compare("t.md", &section(0), &as_asked()), Vec::<String>::new());
    let duplicate = found("Eggs/b/config.fly", 1, "error", "duplicate-name", "`a` is taken");
    assert_eq!(compare("t.md", &section(1), &[duplicate]), Vec::<String>::new());
}

#[test]
fn what_does_not_come_fails_at_its_comment() {
    for index in 0..as_asked().len() {
        let mut found = as_asked();
        let gone = found.remove(index);
        let problems = compare("t.md", &section(0), &found);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].contains(&format!("did not come: {}[{}]", gone.severity, gone.id)),
            "{problems:?}"
        );
    }
    let problems = compare("t.md", &section(0), &as_asked()[1..]);
    assert_eq!(problems, ["t.md:9: did not come: error[type-mismatch] \"wants a \"size\"\""]);
}

#[test]
fn what_nobody_asked_for_fails_at_its_line() {
    let mut all = as_asked();
    all.push(found("Eggs/test/config.fly", 1, "error", "other", "surprise"));
    assert_eq!(compare("t.md", &section(0), &all), ["t.md:8: nobody asked for: error[other] surprise"]);
    let mut twice = as_asked();
    twice.push(twice[1].clone());
    assert_eq!(compare("t.md", &section(0), &twice), ["t.md:12: nobody asked for: warning[odd] odd"]);
    let mut elsewhere = as_asked();
    elsewhere.push(found("nest.fly", 7, "error", "other", "surprise"));
    assert_eq!(
        compare("t.md", &section(0), &elsewhere),
        ["t.md:5: nobody asked for: error[other] surprise in `nest.fly`"]
    );
}

#[test]
fn line_severity_id_and_message_all_count() {
    type Change = fn(&mut Found);
    let changes: [Change; 5] = [
        |found| found.line += 1,
        |found| found.severity = "warning".into(),
        |found| found.id = "other".into(),
        |found| found.message = "other".into(),
        |found| found.path = "nest.fly".into(),
    ];
    for change in changes {
        let mut found = as_asked();
        change(&mut found[0]);
        assert_eq!(compare("t.md", &section(0), &found).len(), 2);
    }
}

#[test]
fn an_exact_comment_goes_before_a_loose_one() {
    let text = "# t\n```fly\n# error: [a]\n# error: [a] \"x\"\nb\n```\n";
    let section = parse(text).unwrap().swap_remove(0);
    let path = "Eggs/test/config.fly";
    let found = [found(path, 3, "error", "a", "x"), found(path, 3, "error", "a", "y")];
    assert_eq!(compare("t.md", &section, &found), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_no_test_that_passes() {
    for (body, problem) in [
        ("# error: type-mismatch", "line 3: write"),
        ("# error: [Bad]", "line 3: write"),
        ("# error: [a] \"open", "line 3: write"),
        ("# error: [a] \"x\" and more", "line 3: nothing may follow"),
        ("a\n```\n```fly\nb", "line 5: `Eggs/test/config.fly` is in this section twice"),
    ] {
        let error = parse(&format!("# t\n```fly\n{body}\n```\n")).unwrap_err();
        assert!(error.starts_with(problem), "{error}");
    }
    assert!(parse("```fly\n").unwrap_err().contains("never closed"));
    assert!(parse("# t\n```output\n```\n").is_err());
}

#[test]
fn longer_fences_hold_shorter_ones() {
    assert_eq!(parse("# t\n````markdown\n```fly\n# error: x\n```\n````\n").unwrap(), []);
}

#[test]
fn an_output_is_rewritten_in_place() {
    let new = replace_output(MARKDOWN, &section(0), "new\nlines\n");
    assert_eq!(new, MARKDOWN.replace("\nold\n", "\nnew\nlines\n"));
    let none = replace_output(MARKDOWN, &section(0), "");
    assert_eq!(none, MARKDOWN.replace("\nold\n", "\n"));
    assert_eq!(replace_output(MARKDOWN, &section(1), "x"), MARKDOWN);
}
