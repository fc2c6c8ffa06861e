//! Yandex Cloud: instances by the Compute API, containers by their invocation, and the IAM token that opens both.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Client;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Environment, PowerError, client, given, send, send_once};
use crate::{domain::Time, ports::secrets::Secret};

const CLOUD: &str = "Yandex Cloud";

/// Between two looks at an operation, and how long one may take.
const LOOK: Duration = Duration::from_secs(1);
const OPERATION: u32 = 600;

/// Whom the token of a service account's key is for.
const AUDIENCE: &str = "https://iam.api.cloud.yandex.net/iam/v1/tokens";

/// Yandex Cloud, opened.
#[derive(Debug)]
pub struct Yandex {
    client: Client,
    /// One place for all services, in the place of each one's own.
    endpoint: Option<String>,
    token: Secret,
}

/// What a container is told.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its own address.
    pub url: String,
    /// The egg.
    pub egg: String,
    /// The runner.
    pub runner: String,
    /// Its ticket.
    pub ticket: Secret,
}

/// An authorised key of a service account, as the console and `yc` write it.
#[derive(Deserialize)]
struct Key {
    id: String,
    service_account_id: String,
    #[serde(rename = "private_key")]
    pem: String,
}

impl Yandex {
    /// Opens it with what the environment has for the provider too.
    ///
    /// # Errors
    ///
    /// When there is nothing that opens it.
    pub async fn open(environment: &Environment, now: Time) -> Result<Self, PowerError> {
        // With a scheme it stands for every service: a proxy, or a test's own.
        let endpoint = given(environment, "YC_ENDPOINT").filter(|endpoint| endpoint.contains("://"));
        let mut cloud = Self {
            client: client(CLOUD)?,
            endpoint: endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
            token: Secret::new(""),
        };
        cloud.token = cloud.token(environment, now).await?;
        Ok(cloud)
    }

    fn at(&self, service: &str, path: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{path}"),
            None => format!("https://{service}.api.cloud.yandex.net/{path}"),
        }
    }

    async fn token(&self, environment: &Environment, now: Time) -> Result<Secret, PowerError> {
        if let Some(token) = given(environment, "YC_TOKEN") {
            let is_oauth = ["y0_", "y1_", "y2_", "y3_", "AQAD"].iter().any(|sign| token.starts_with(sign));
            if is_oauth {
                return self.exchange(json!({ "yandexPassportOauthToken": token })).await;
            }
            return Ok(Secret::new(token));
        }
        if let Some(key) = given(environment, "YC_SERVICE_ACCOUNT_KEY_FILE") {
            let told = web_token(&key_of(key).await?, now)?;
            return self.exchange(json!({ "jwt": told.expose() })).await;
        }
        let url = match &self.endpoint {
            Some(endpoint) => {
                format!("{endpoint}/computeMetadata/v1/instance/service-accounts/default/token")
            }
            None => {
                "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token".to_owned()
            }
        };
        let ask = || {
            let ask = self.client.get(&url).header("Metadata-Flavor", "Google");
            ask.timeout(Duration::from_secs(2))
        };
        let found = send(CLOUD, "tell this machine's own token", ask).await.ok();
        let token = found.as_ref().and_then(|found| found["access_token"].as_str());
        token.map(Secret::new).ok_or_else(|| PowerError::Credentials {
            cloud: CLOUD,
            reason: "neither YC_TOKEN nor YC_SERVICE_ACCOUNT_KEY_FILE is set, and this is no machine there with a service \
                     account"
                .to_owned(),
        })
    }

    async fn exchange(&self, what: Value) -> Result<Secret, PowerError> {
        let url = self.at("iam", "iam/v1/tokens");
        let answer = send(CLOUD, "give a token of IAM", || self.client.post(&url).json(&what)).await?;
        answer["iamToken"].as_str().map(Secret::new).ok_or_else(|| PowerError::Away {
            cloud: CLOUD,
            what: "give a token of IAM".to_owned(),
            reason: "there is none in its answer".to_owned(),
        })
    }

    /// Starts or stops an instance; `false` when it was so already.
    ///
    /// # Errors
    ///
    /// When the cloud doesn't do it.
    pub async fn instance(&self, id: &str, running: bool) -> Result<bool, PowerError> {
        let (verb, wanted, coming) =
            if running { ("start", "RUNNING", "STARTING") } else { ("stop", "STOPPED", "STOPPING") };
        let what = format!("{verb} the instance `{id}`");
        let place = self.at("compute", &format!("compute/v1/instances/{id}"));
        let ask = || self.client.get(&place).bearer_auth(self.token.expose());
        for attempt in 0.. {
            let status = send(CLOUD, &what, ask).await?["status"].as_str().unwrap_or_default().to_owned();
            if status == wanted {
                return Ok(attempt > 0);
            }
            // What it does already it does to its end, whoever asked for it; nothing else may be asked meanwhile.
            let is_moving =
                ["PROVISIONING", "STARTING", "STOPPING", "RESTARTING", "UPDATING"].contains(&status.as_str());
            if !is_moving || attempt >= OPERATION {
                if status == coming || attempt >= OPERATION {
                    let reason = format!("it has been {status} for too long");
                    return Err(PowerError::Away { cloud: CLOUD, what, reason });
                }
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        let order = format!("{place}:{verb}");
        let begun =
            send(CLOUD, &what, || self.client.post(&order).bearer_auth(self.token.expose()).json(&json!({})));
        let mut operation = begun.await?;
        for _ in 0..OPERATION {
            if let Some(reason) = operation["error"]["message"].as_str() {
                return Err(PowerError::Refused { cloud: CLOUD, what, reason: reason.to_owned() });
            }
            if operation["done"] == true {
                return Ok(true);
            }
            let Some(number) = operation["id"].as_str() else { break };
            let url = self.at("operation", &format!("operations/{number}"));
            tokio::time::sleep(LOOK).await;
            operation = send(CLOUD, &what, || self.client.get(&url).bearer_auth(self.token.expose())).await?;
        }
        Err(PowerError::Away { cloud: CLOUD, what, reason: "it takes too long".to_owned() })
    }

    /// Invokes a container: nobody waits for the answer, for it comes when the runner has ended.
    ///
    /// # Errors
    ///
    /// When the cloud doesn't.
    pub async fn invoke(&self, container: &str, invocation: &Invocation) -> Result<(), PowerError> {
        let body = json!({
            "egg_config": invocation.egg,
            "runner_config": invocation.runner,
            "ticket": invocation.ticket.expose(),
        });
        let ask = || {
            let ask = self.client.post(&invocation.url).bearer_auth(self.token.expose());
            ask.header("X-Ycf-Container-Integration-Type", "async").json(&body)
        };
        // Each invocation starts a container.
        send_once(CLOUD, &format!("invoke the container `{container}`"), ask).await.map(drop)
    }
}

/// The key: the variable has it, or the file that it names.
async fn key_of(given: &str) -> Result<Key, PowerError> {
    let wrong = |reason: String| PowerError::Credentials { cloud: CLOUD, reason };
    let text = if given.starts_with('{') {
        given.to_owned()
    } else {
        tokio::fs::read_to_string(given).await.map_err(|error| {
            wrong(format!("the file of YC_SERVICE_ACCOUNT_KEY_FILE can't be read: {}", error.kind()))
        })?
    };
    // What is wrong with it is not told in its own words: they would quote it.
    serde_json::from_str(&text).map_err(|_| {
        wrong(
            "YC_SERVICE_ACCOUNT_KEY_FILE leads to no authorised key: `yc iam key create` makes one"
                .to_owned(),
        )
    })
}

/// What a key is exchanged by: signed by it, and good for an hour.
fn web_token(key: &Key, now: Time) -> Result<Secret, PowerError> {
    let wrong = || PowerError::Credentials {
        cloud: CLOUD,
        reason: "the private key of YC_SERVICE_ACCOUNT_KEY_FILE is no RSA key in PKCS #8".to_owned(),
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(key.pem.as_bytes()).map_err(|_| wrong())?;
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?;
    let seconds = now.as_millis() / 1000;
    let head = json!({ "typ": "JWT", "alg": "PS256", "kid": key.id });
    let claims = json!({
        "iss": key.service_account_id, "aud": AUDIENCE, "iat": seconds, "exp": seconds + 3600,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&head), part(&claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).map_err(|_| wrong())?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}
