//! What a person begins with: the files of a new Nest, the block of an egg, bucket or job from a handful of answers, and deploy
//! keys. Pure: answers in, texts out; whether a text is right is `flyc`'s to say.
//!
//! What never lives here: questions, flags, files on a disk.

mod bench;
mod draft;
mod fields;
mod keys;
mod prefix;
mod skeleton;

pub use bench::{Bench, Verdict, asked};
pub use draft::{Draft, Repo, Serves};
pub use fields::{Field, Kind, unsaid};
pub use keys::{DEPLOY_KEYS, DeployKey, KeyError, Pair};
pub use prefix::Prefix;
pub use skeleton::{NewNest, skeleton};
