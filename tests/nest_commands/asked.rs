//! Questions on a terminal: their answers are judged, and Ctrl-C undoes nothing because nothing was done.

use std::fs;

use super::{
    terminal::Terminal,
    world::{World, said},
};

#[test]
fn the_same_question_is_asked_for_a_new_nest() {
    let (by_flags, by_answers) = (World::empty(), World::empty());
    let output = by_flags.gosling(&["init", "--cloud", "aws", "--git-init", "--name", "birds"]);
    assert!(output.status.success(), "{}", said(&output));
    let mut terminal =
        Terminal::gosling(&by_answers.nest(), &by_answers.data(), &["init", "--name", "birds"]);
    terminal.answer("There is no git repository here", "y");
    terminal.answer("cloud", "aws");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.restored);
    assert_eq!(by_flags.tree(), by_answers.tree());
    assert_eq!(by_flags.sealed(), by_answers.sealed());
    assert!(by_flags.nest().join(".git").is_dir() && by_answers.nest().join(".git").is_dir());
}

#[test]
fn an_answer_is_judged_as_the_language_does_and_the_nearest_is_told() {
    let world = World::begun();
    let mut terminal = Terminal::gosling(
        &world.nest(),
        &world.data(),
        &["add", "egg", "my-app", "--type", "vm", "--cloud", "local"],
    );
    terminal.answer("memory", "4 GB of it");
    terminal.wait("memory");
    terminal.send(&"\x7f".repeat(20));
    terminal.send("4GiB\r");
    terminal.answer("tags", "");
    terminal.answer("concurrent", "0");
    terminal.wait("1 to 10000");
    terminal.send("\x7f2\r");
    terminal.answer("gitlab-server", "https://gitlab.example.com");
    terminal.wait("gitlab.example.com`");
    terminal.send(&"\x7f".repeat(40));
    terminal.send("gitlab.example.com\r");
    terminal.answer("what the runners serve", "");
    terminal.answer("gitlab-project-id", "7");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let egg = fs::read_to_string(world.nest().join("Eggs/my-app/config.fly")).unwrap();
    assert!(
        egg.contains("memory = 4GiB") && egg.contains("concurrent = 2") && egg.contains("project_id = 7"),
        "{egg}"
    );
}

#[test]
fn ctrl_c_writes_nothing_and_leaves_the_terminal_as_it_was() {
    for stop in ["type", "cloud", "memory", "gitlab-server", "what the runners serve", "gitlab-project-id"] {
        let world = World::begun();
        let before = world.tree();
        let mut terminal = Terminal::gosling(&world.nest(), &world.data(), &["add", "egg", "my-app"]);
        for (question, answer) in [
            ("type", "vm"),
            ("cloud", "local"),
            ("memory", ""),
            ("tags", "a"),
            ("concurrent", ""),
            ("gitlab-server", ""),
            ("what the runners serve", "one"),
            ("gitlab-project-id", "7"),
        ] {
            if question == stop {
                terminal.wait(&format!("? {question}"));
                terminal.send("\x03");
                break;
            }
            terminal.answer(question, answer);
        }
        let ended = terminal.end();
        assert_eq!(ended.code, Some(130), "{stop}: {}", ended.text);
        assert!(ended.text.contains("nothing was written"), "{stop}: {}", ended.text);
        // The cursor is shown again.
        assert!(ended.text.rfind("\x1b[?25l") <= ended.text.rfind("\x1b[?25h"), "{stop}: {:?}", ended.text);
        assert!(ended.restored, "{stop}: the terminal isn't as it was");
        assert_eq!(world.tree(), before, "{stop}");
        assert_eq!(world.sealed(), 0, "{stop}");
    }
}

#[test]
fn ctrl_c_in_init_leaves_the_folder_empty() {
    for stop in ["There is no git repository here", "cloud"] {
        let world = World::empty();
        let mut terminal = Terminal::gosling(&world.nest(), &world.data(), &["init"]);
        if stop == "cloud" {
            terminal.answer("There is no git repository here", "n");
        }
        terminal.wait(&format!("? {stop}"));
        terminal.send("\x03");
        let ended = terminal.end();
        assert_eq!(ended.code, Some(130), "{}", ended.text);
        assert!(ended.restored);
        assert_eq!(fs::read_dir(world.nest()).unwrap().count(), 0);
    }
}
