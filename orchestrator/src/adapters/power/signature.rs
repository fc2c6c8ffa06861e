//! Signature version 4 of AWS, for requests whose path is `/` and that have no query.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{ports::secrets::Secret, seal};

/// Where and when a signature holds.
pub(super) struct Scope<'a> {
    /// `20150830T123600Z`
    pub(super) moment: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The `Authorization` of a request with these headers, in small letters and sorted.
pub(super) fn authorization(
    scope: &Scope<'_>,
    (id, key): (&str, &Secret),
    method: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let Scope { moment, region, service } = scope;
    let date = moment.get(..8).unwrap_or_default();
    let lines =
        headers.iter().fold(String::new(), |text, (name, value)| text + name + ":" + value.trim() + "\n");
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let request = format!("{method}\n/\n\n{lines}\n{names}\n{}", seal::hex(&Sha256::digest(body)));
    let place = format!("{date}/{region}/{service}/aws4_request");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{moment}\n{place}\n{}", seal::hex(&Sha256::digest(request.as_bytes())));
    let mut signing = mac(format!("AWS4{}", key.expose()).as_bytes(), date.as_bytes());
    for part in [*region, *service, "aws4_request"] {
        signing = mac(&signing, part.as_bytes());
    }
    let signature = seal::hex(&mac(&signing, to_sign.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential={id}/{place}, SignedHeaders={names}, Signature={signature}")
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // Keys of every length are taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors `get-vanilla` and `post-vanilla` that AWS publishes.
    #[test]
    fn it_signs_as_aws_does() {
        let scope = Scope { moment: "20150830T123600Z", region: "us-east-1", service: "service" };
        let key = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        for (method, signature) in [
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            assert_eq!(
                authorization(&scope, ("AKIDEXAMPLE", &key), method, &headers, b""),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={signature}"
                )
            );
        }
    }
}
