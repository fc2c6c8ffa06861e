//! How much a new machine or container can be told, and how much that is which it is told.
//!
//! The sizes are estimates from above: what only the runner knows (its id, its ticket, addresses) has a margin.
//!
//! Never here: what an author is told.

use super::{ComputeModule, LowerError, fleet::Fleet, marks, rift, vm};
use crate::artifact::{EggConfig, JobConfig, Provider, RiftConfig};

const KIB: usize = 1024;

/// The files that the Compute Module adds to the user data, or what it adds to a task: names and paths of ours (about
/// 700 bytes), the id, the ticket and the name (up to 128 bytes each), and two addresses of up to 900 bytes.
const OF_THE_RUNNER: usize = 3 * KIB;

/// The definition of a Fargate task beside its environment: its image, roles, logs and tags.
const OF_THE_TASK: usize = 8 * KIB;

/// What is told, and the most that the cloud takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What holds it, and is told of in messages.
    pub holder: &'static str,
    /// The most it holds, in bytes.
    pub most: usize,
    /// What is told, with the margin, in bytes.
    pub needs: usize,
}

impl Room {
    /// The user data of a machine; none on the machine that one has.
    fn of_machine(provider: Provider, told: &str, cloud_init: &str) -> Option<Self> {
        let (holder, most) = match provider {
            // The limit of EC2, before base64.
            Provider::Aws => ("the user data of a machine on aws", 16 * KIB),
            // The limit of one value; the others are short, and all together may have twice as much.
            Provider::Yandex => ("the user data of a machine on yandex", 256 * KIB),
            Provider::Local => return None,
        };
        Some(Self {
            holder,
            most,
            needs: marks::plain(cloud_init).len() + more_in_yaml(told) + OF_THE_RUNNER,
        })
    }

    /// One variable of a process.
    fn of_variable(told: &str) -> Self {
        // Linux: MAX_ARG_STRLEN, with the variable's name.
        Self { holder: "a variable of a process on Linux", most: 128 * KIB, needs: told.len() + 64 }
    }

    fn of_fleet(fleet: &Fleet<'_>) -> Result<Option<Self>, LowerError> {
        let told = fleet.told()?;
        Ok(match ComputeModule::of(fleet.cloud.provider, fleet.runner_type) {
            ComputeModule::Yandex | ComputeModule::Aws => {
                Self::of_machine(fleet.cloud.provider, &told, &vm::cloud_init(fleet)?)
            }
            // All of it is in one variable of the program that wakes the runner, or that is the runner.
            ComputeModule::YandexServerless | ComputeModule::Local => Some(Self::of_variable(&told)),
            ComputeModule::AwsServerless => Some(Self {
                holder: "the definition of a Fargate task",
                most: 64 * KIB,
                needs: in_json(&told) + OF_THE_TASK,
            }),
        })
    }
}

/// What the runners of an egg or bucket are told.
pub fn egg_room(config: &EggConfig) -> Result<Option<Room>, LowerError> {
    Room::of_fleet(&Fleet::from(config))
}

/// What the runners of a job are told.
pub fn job_room(config: &JobConfig) -> Result<Option<Room>, LowerError> {
    Room::of_fleet(&Fleet::from(config))
}

/// What a Rift server is told.
pub fn rift_room(config: &RiftConfig) -> Result<Option<Room>, LowerError> {
    let told = rift::told(config)?;
    Ok(Room::of_machine(config.cloud.provider, &told, &rift::cloud_init(config, &told)?))
}

/// How much longer the text gets when OpenTofu writes it as YAML than it is in our own: as a block it does not, but a
/// text with characters that OpenTofu escapes is written in quotes, on lines of 80 characters.
fn more_in_yaml(text: &str) -> usize {
    let is_escaped = |c: char| c != '\n' && (c.is_control() || c > '\u{d7ff}');
    if !text.contains(is_escaped) {
        return 0;
    }
    let quoted: usize = text
        .chars()
        .map(|c| match c {
            '"' | '\\' | '\n' => 2,
            c if is_escaped(c) => 10,
            c => c.len_utf8(),
        })
        .sum();
    (quoted + quoted / 8).saturating_sub(text.len())
}

/// How long it is as a string of JSON, as OpenTofu writes it.
fn in_json(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '"' | '\\' | '\n' => 2,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_open_tofu_escapes_gets_longer() {
        assert_eq!(more_in_yaml("{\n  \"a\": \"é<ß>\"\n}\n"), 0);
        // `"\U0001F600\n\x7F"` and more.
        assert!(more_in_yaml("😀\n\u{7f}") >= 10);
        assert_eq!(in_json("a\"\n<"), 1 + 2 + 2 + 6);
    }
}
