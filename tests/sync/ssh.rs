//! The Nest's repository over SSH: a real server of OpenSSH's, which lets the deploy key read and nothing else.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use orchestrator::{
    adapters::git::GitProgram,
    ports::{
        git::{Git, GitError, Remote},
        secrets::Secret,
    },
};
use polar_gosling_tests::{need, tools};
use tempfile::TempDir;

use super::repository::Repository;

/// A server that is ended with the test.
struct Server {
    child: Child,
    port: u16,
    host_key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes a key pair and gives its path.
fn key(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
    assert!(made.unwrap().success());
    path
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

fn public(path: &Path) -> String {
    text(&path.with_extension("pub"))
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Starts a server that lets `deploy` read the repository.
fn serve(sshd: &Path, folder: &Path, nest: &Repository, deploy: &Path) -> Server {
    let host = key(folder, "host");
    // What GitLab's own shell does: this key may fetch, whatever is asked for.
    let forced = folder.join("forced");
    let script = format!(
        "#!/bin/sh\ncase \"$SSH_ORIGINAL_COMMAND\" in\n\"git-upload-pack \"*) exec git-upload-pack '{}' ;;\n*) echo 'This deploy key does not have write access to this project.' >&2; exit 1 ;;\nesac\n",
        nest.0.display()
    );
    fs::write(&forced, script).unwrap();
    assert!(Command::new("chmod").arg("755").arg(&forced).status().unwrap().success());
    fs::write(
        folder.join("authorized_keys"),
        format!("restrict,command=\"{}\" {}\n", forced.display(), public(deploy)),
    )
    .unwrap();
    // Another process may take a port that was just found free; then the next one is tried.
    for _ in 0..10 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.join("sshd_config");
        let folder = folder.display();
        fs::write(
            &config,
            format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nUsePAM no\n\
                 StrictModes no\nPermitRootLogin forced-commands-only\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 UseDNS no\n",
                host.display()
            ),
        )
        .unwrap();
        // It wants this folder when it is root's.
        drop(fs::create_dir_all("/run/sshd"));
        let log = fs::File::create(format!("{folder}/sshd.log")).unwrap();
        let mut child = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Server { child, port, host_key: public(&host) };
            }
            std::thread::yield_now();
        }
        drop(child.kill());
        drop(child.wait());
    }
    panic!("sshd doesn't start: {}", fs::read_to_string(folder.join("sshd.log")).unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deploy_key_and_the_hosts_key_must_be_right() {
    let sshd = need!(tools::sshd());
    let folder = TempDir::new().unwrap();
    let nest = Repository::new(folder.path());
    nest.egg("a", 1, "");
    let commit = nest.commit();
    let (deploy, other) = (key(folder.path(), "deploy"), key(folder.path(), "other"));
    let server = serve(&sshd, folder.path(), &nest, &deploy);
    let port = server.port;
    let known = |key: &str| Some(format!("[127.0.0.1]:{port} {key}"));
    let good = Remote {
        url: format!("ssh://{}@127.0.0.1:{port}/group/nest.git", user()),
        branch: "main".to_owned(),
        key: Some(Secret::new(text(&deploy))),
        known_hosts: known(&server.host_key),
    };
    // A folder with a blank, a quote and a dollar in its name: nothing of it is the shell's.
    let data = folder.path().join("it's $HOME data");
    let git = GitProgram::new(&data);
    assert_eq!(git.fetch(&good).await.unwrap(), commit);
    assert!(git.files(&commit).await.unwrap().join("Eggs/a/config.fly").exists());

    let wrong = Remote { key: Some(Secret::new(text(&other))), ..good.clone() };
    let told = git.fetch(&wrong).await.unwrap_err();
    assert!(
        matches!(&told, GitError::Refused(line) if line.contains("Permission denied (publickey)")),
        "{told:?}"
    );
    let none = Remote { key: None, ..good.clone() };
    assert!(matches!(git.fetch(&none).await, Err(GitError::Refused(_))));
    let wrong = Remote { known_hosts: known(&public(&other)), ..good.clone() };
    let told = git.fetch(&wrong).await.unwrap_err();
    assert!(matches!(told, GitError::HostKey(_)), "{told:?}");
    for nothing in [None, Some(String::new()), Some("example.com ssh-ed25519 AAAA".to_owned())] {
        let unknown = Remote { known_hosts: nothing, ..good.clone() };
        let told = git.fetch(&unknown).await.unwrap_err();
        assert!(matches!(told, GitError::HostKey(_)), "{told:?}");
    }

    // The server's side: who has the key may not write.
    let ssh = format!(
        "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes",
        deploy.display()
    );
    let pushed = Command::new("git")
        .args(["push", &good.url, "HEAD:main"])
        .current_dir(&nest.0)
        .env("GIT_SSH_COMMAND", ssh)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&pushed.stderr);
    assert!(!pushed.status.success() && said.contains("does not have write access"), "{said}");

    // Nothing of the key stays.
    assert_eq!(git.fetch(&good).await.unwrap(), commit);
    let secret = text(&deploy);
    let secret = secret.lines().nth(1).unwrap();
    let found = Command::new("grep").args(["-r", "-l", "-e", secret]).arg(&data).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");

    drop(server);
    let told = git.fetch(&good).await.unwrap_err();
    assert!(told.is_transient(), "{told:?}");
}
