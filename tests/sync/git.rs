//! The mirror and the folders of commits, with folders of this machine as remotes.

use std::{fs, time::Duration};

use orchestrator::{
    adapters::git::GitProgram,
    ports::git::{Git, GitError, Remote},
};
use tempfile::TempDir;

use super::repository::Repository;

pub(crate) fn remote(url: &str) -> Remote {
    Remote { url: url.to_owned(), branch: "main".to_owned(), key: None, known_hosts: None }
}

fn world() -> (TempDir, Repository, GitProgram, Remote) {
    let folder = TempDir::new().unwrap();
    let nest = Repository::new(folder.path());
    let git = GitProgram::new(&folder.path().join("data"));
    let remote = remote(nest.0.to_str().unwrap());
    (folder, nest, git, remote)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commits_files_are_there_whole_and_stay() {
    let (folder, nest, git, remote) = world();
    nest.write("Eggs/a/config.fly", "one");
    // What an archive would leave out belongs to the Nest as well.
    nest.write(".gitattributes", "* export-ignore\n");
    let first = nest.commit();
    assert_eq!(git.fetch(&remote).await.unwrap(), first);
    let files = git.files(&first).await.unwrap();
    assert_eq!(fs::read_to_string(files.join("Eggs/a/config.fly")).unwrap(), "one");
    assert!(!files.join(".git").exists());
    nest.write("Eggs/a/config.fly", "two");
    let second = nest.commit();
    assert_eq!(git.fetch(&remote).await.unwrap(), second);
    let later = git.files(&second).await.unwrap();
    assert_eq!(fs::read_to_string(later.join("Eggs/a/config.fly")).unwrap(), "two");
    assert_eq!(fs::read_to_string(files.join("Eggs/a/config.fly")).unwrap(), "one");
    git.forget(std::slice::from_ref(&second)).await.unwrap();
    assert!(!files.exists() && later.exists());
    let commits = fs::read_dir(folder.path().join("data/nest/commits")).unwrap().count();
    assert_eq!(commits, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_git_leaves_is_healed() {
    let (folder, nest, git, remote) = world();
    nest.write("a", "1");
    let first = nest.commit();
    git.fetch(&remote).await.unwrap();
    git.files(&first).await.unwrap();
    let own = folder.path().join("data/nest");
    for lock in ["shallow.lock", "refs/gosling/nest.lock", "packed-refs.lock", "config.lock"] {
        nest.write("a", lock);
        let commit = nest.commit();
        fs::write(own.join("repo.git").join(lock), "").unwrap();
        assert_eq!(git.fetch(&remote).await.unwrap(), commit, "{lock}");
        assert_eq!(fs::read_to_string(git.files(&commit).await.unwrap().join("a")).unwrap(), lock);
    }
    // A mirror that is half there.
    nest.write("a", "2");
    let commit = nest.commit();
    fs::remove_file(own.join("repo.git/HEAD")).unwrap();
    fs::remove_dir_all(own.join("repo.git/objects")).unwrap();
    assert_eq!(git.fetch(&remote).await.unwrap(), commit);
    // Folders that were not whole yet.
    fs::create_dir_all(own.join("commits/.begun-1/files")).unwrap();
    fs::create_dir_all(own.join(".begun-2")).unwrap();
    git.fetch(&remote).await.unwrap();
    let names: Vec<String> = [own.clone(), own.join("commits")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_and_what_is_no_repository_are_told() {
    let (folder, nest, git, good) = world();
    nest.commit();
    let branch = Remote { branch: "trunk".to_owned(), ..good.clone() };
    let told = git.fetch(&branch).await.unwrap_err();
    assert!(matches!(&told, GitError::Missing(line) if line.contains("refs/heads/trunk")), "{told:?}");
    let nowhere = remote(folder.path().join("nowhere").to_str().unwrap());
    assert!(matches!(git.fetch(&nowhere).await, Err(GitError::Missing(_))));
    let touched = folder.path().join("touched");
    for url in
        [format!("ext::touch {}", touched.display()), format!("--upload-pack=touch {}", touched.display())]
    {
        assert!(matches!(git.fetch(&remote(&url)).await, Err(GitError::Missing(_))), "{url}");
    }
    assert!(!touched.exists());
    assert!(matches!(git.files("../../etc").await, Err(GitError::Missing(_))));
    assert!(matches!(git.files(&"0".repeat(40)).await, Err(GitError::Missing(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_out_of_the_repository_is_refused() {
    let (folder, nest, git, remote) = world();
    fs::write(folder.path().join("secret"), "x").unwrap();
    nest.write("Eggs/a/config.fly", "one");
    std::os::unix::fs::symlink("Eggs/a", nest.0.join("Eggs/b")).unwrap();
    std::os::unix::fs::symlink("a", nest.0.join("Eggs/c")).unwrap();
    let inside = nest.commit();
    git.fetch(&remote).await.unwrap();
    assert!(git.files(&inside).await.unwrap().join("Eggs/c/config.fly").exists());
    std::os::unix::fs::symlink(folder.path().join("secret"), nest.0.join("Eggs/d")).unwrap();
    let outside = nest.commit();
    git.fetch(&remote).await.unwrap();
    let told = git.files(&outside).await.unwrap_err();
    assert!(matches!(&told, GitError::Missing(line) if line.starts_with("`Eggs/d` is a link")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}/nest.git", silent.local_addr().unwrap().port());
    let git = GitProgram::with_patience(folder.path(), Duration::from_secs(1));
    let told = git.fetch(&remote(&url)).await.unwrap_err();
    assert!(told.is_transient(), "{told:?}");
    drop(silent);
    assert!(git.fetch(&remote(&url)).await.unwrap_err().is_transient());
}
