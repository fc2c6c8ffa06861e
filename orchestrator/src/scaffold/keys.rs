//! Deploy keys: Ed25519, in OpenSSH's own format.

use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use zeroize::Zeroizing;

use crate::ports::{gitlab, secrets::Secret};

/// Who has a deploy key of the Nest's repository, and whether it may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeployKey {
    /// Whose it is.
    pub name: &'static str,
    /// Whether it may push.
    pub writes: bool,
    /// What it is for.
    pub purpose: &'static str,
}

impl DeployKey {
    /// The name of the secret that holds the private part.
    pub fn private(self) -> String {
        format!("deploy-keys/{}-private", self.name)
    }

    /// The name of the secret that holds the public part.
    pub fn public(self) -> String {
        format!("deploy-keys/{}-public", self.name)
    }

    /// What the key itself says it is.
    pub fn title(self) -> String {
        gitlab::DeployKey::given_title(self.name)
    }
}

/// The deploy keys of a Nest.
pub const DEPLOY_KEYS: [DeployKey; 3] = [
    DeployKey { name: "mothergoose", writes: false, purpose: "gosling serve fetches the Nest with it" },
    DeployKey { name: "uglyfox", writes: false, purpose: "the rules of UF are read with it" },
    DeployKey { name: "selfjobs", writes: true, purpose: "the jobs of the Nest push with it" },
];

/// Both parts of a key.
#[derive(Debug)]
pub struct Pair {
    /// As `ssh -i` reads it.
    pub private: Secret,
    /// One line of `authorized_keys`.
    pub public: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system has no randomness.
    #[error("there is no randomness for a key: {0}")]
    Random(getrandom::Error),
    /// What is kept is no private key.
    #[error("what is kept there is no private key of SSH")]
    NoKey,
}

impl Pair {
    /// A new key.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn generate(key: DeployKey) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *seed).map_err(KeyError::Random)?;
        let data = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
        let key = PrivateKey::new(data, key.title()).map_err(|_| KeyError::NoKey)?;
        Self::of(&key)
    }

    /// The key whose private part this is.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(private: &Secret) -> Result<Self, KeyError> {
        Self::of(&PrivateKey::from_openssh(private.expose()).map_err(|_| KeyError::NoKey)?)
    }

    fn of(key: &PrivateKey) -> Result<Self, KeyError> {
        let private = key.to_openssh(LineEnding::LF).map_err(|_| KeyError::NoKey)?;
        let public = key.public_key().to_openssh().map_err(|_| KeyError::NoKey)?;
        Ok(Self { private: Secret::new(private.as_str()), public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_no_two_are_the_same() {
        for key in DEPLOY_KEYS {
            let pair = Pair::generate(key).unwrap();
            assert!(pair.private.expose().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
            assert!(pair.public.starts_with("ssh-ed25519 AAAA"), "{}", pair.public);
            assert!(pair.public.ends_with(&key.title()), "{}", pair.public);
            assert_eq!(Pair::read(&pair.private).unwrap().public, pair.public);
            assert_ne!(Pair::generate(key).unwrap().public, pair.public);
        }
        assert!(Pair::read(&Secret::new("hunter2")).is_err());
    }
}
