//! Seals what is sensitive before it is stored: AES-256-GCM, with a key of the installation's. Of tickets, tokens and
//! credentials only the fingerprint is stored.

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The SHA-256 of a token, in hexadecimal: what is stored in its place. Only for tokens that nobody can guess.
pub fn fingerprint(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text fails for nobody.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a token has this fingerprint. It takes as long whether it has or not.
pub fn has_fingerprint(token: &str, wanted: &str) -> bool {
    fingerprint(token).as_bytes().ct_eq(wanted.to_ascii_lowercase().as_bytes()).into()
}

/// Why something sealed can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed can't be opened: it was changed, belongs elsewhere, or was sealed with another key")]
pub struct Broken;

/// Seals and opens. What it is for (`deployment_plans/ID/plan_binary`) is sealed with it: it opens nowhere else.
#[derive(Clone)]
pub struct Seal(Arc<Inner>);

struct Inner {
    cipher: Aes256Gcm,
    /// The key of marks, made from that of the seal.
    marks: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

const NONCE: usize = 12;

impl Seal {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut marks = Zeroizing::new([0; 32]);
        // It fails only for keys that are longer than 8160 bytes.
        let _ = Hkdf::<Sha256>::new(None, key).expand(b"gosling: marks of secrets", &mut *marks);
        Self(Arc::new(Inner { cipher: Aes256Gcm::new(key.into()), marks }))
    }

    /// Tells one secret from others without telling anything of it: to be remembered where the secret itself is not to be
    /// had again. Without the key nobody can try guesses at it.
    pub fn mark(&self, secret: &str, place: &str) -> String {
        // A key of any length will do.
        let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&*self.0.marks) else {
            return String::new();
        };
        for part in [place.as_bytes(), b"\0", secret.as_bytes()] {
            mac.update(part);
        }
        hex(&mac.finalize().into_bytes()[..16])
    }

    /// Seals.
    ///
    /// # Errors
    ///
    /// When the system gives no chance.
    pub fn seal(&self, what: &[u8], place: &str) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        let sealed = self.0.cipher.encrypt((&nonce).into(), Payload { msg: what, aad: place.as_bytes() });
        let sealed = sealed.map_err(|_| getrandom::Error::UNSUPPORTED)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    ///
    /// When it was changed, sealed for another place or with another key.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, Broken> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Broken)?;
        self.0.cipher.decrypt(nonce.into(), Payload { msg: rest, aad: place.as_bytes() }).map_err(|_| Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "deployment_plans/1/plan_binary";

    #[test]
    fn what_is_sealed_opens_again() {
        let seal = Seal::new(&[7; 32]);
        for text in [&b""[..], b"a plan", &vec![0; 100_000]] {
            let sealed = seal.seal(text, PLACE).unwrap();
            assert_eq!(seal.open(&sealed, PLACE).unwrap(), text);
            assert_eq!(Seal::new(&[7; 32]).open(&sealed, PLACE).unwrap(), text);
            assert_ne!(seal.seal(text, PLACE).unwrap(), sealed, "no two are alike");
        }
    }

    #[test]
    fn nothing_else_opens() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal(b"a plan", PLACE).unwrap();
        assert_eq!(seal.open(&sealed, "deployment_plans/2/plan_binary"), Err(Broken), "another place");
        assert_eq!(Seal::new(&[8; 32]).open(&sealed, PLACE), Err(Broken), "another key");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open(&changed, PLACE), Err(Broken), "byte {at} changed");
            assert_eq!(seal.open(&sealed[..at], PLACE), Err(Broken), "cut at {at}");
        }
        assert_eq!(seal.open(&[sealed.as_slice(), b"x"].concat(), PLACE), Err(Broken), "longer");
    }

    #[test]
    fn a_mark_tells_secrets_apart_and_nothing_else() {
        let seal = Seal::new(&[7; 32]);
        let mark = seal.mark("secret", PLACE);
        assert_eq!(mark, Seal::new(&[7; 32]).mark("secret", PLACE));
        for other in [
            seal.mark("secreT", PLACE),
            seal.mark("secret", "elsewhere"),
            Seal::new(&[8; 32]).mark("secret", PLACE),
            fingerprint("secret")[..32].to_owned(),
        ] {
            assert_ne!(mark, other);
        }
        assert_eq!(mark.len(), 32);
    }

    #[test]
    fn it_shows_nothing() {
        assert_eq!(format!("{:?}", Seal::new(b"0123456789abcdef0123456789abcdef")), "Seal");
    }
}
