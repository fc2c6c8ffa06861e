//! Tasks of ECS: a runner's task is started under the runner's id, and found by it.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use url::Url;

use super::{
    Environment, PowerError, client, given, send,
    signature::{Scope, authorization},
};
use crate::{domain::Time, ports::secrets::Secret, seal};

const CLOUD: &str = "AWS";

/// The name of the runner's container in its definition.
const CONTAINER: &str = "runner";

/// ECS in a region, opened.
#[derive(Debug)]
pub struct Ecs {
    client: Client,
    endpoint: Url,
    region: String,
    credentials: Credentials,
    now: Time,
}

#[derive(Debug)]
struct Credentials {
    id: String,
    key: Secret,
    session: Option<Secret>,
}

/// A task that is to be started.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// What it is started from.
    pub definition: String,
    /// Where: `{ "subnet": …, "security_groups": […], "public_address": … }`.
    pub network: Value,
    /// Tags by name.
    pub tags: Value,
    /// What the runner is told.
    pub runner_config: String,
    /// Its ticket.
    pub ticket: Secret,
}

impl Ecs {
    /// Opens it with what the environment has for the provider too.
    ///
    /// # Errors
    ///
    /// When there is nothing that opens it.
    pub async fn open(environment: &Environment, now: Time) -> Result<Self, PowerError> {
        let region = given(environment, "AWS_REGION").or_else(|| given(environment, "AWS_DEFAULT_REGION"));
        let region = region.ok_or_else(|| PowerError::Told("AWS_REGION is not set".to_owned()))?;
        let own =
            given(environment, "AWS_ENDPOINT_URL_ECS").or_else(|| given(environment, "AWS_ENDPOINT_URL"));
        let top = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = own.map_or_else(|| format!("https://ecs.{region}.{top}/"), str::to_owned);
        let endpoint = Url::parse(&endpoint)
            .ok()
            .filter(|url| url.host_str().is_some() && url.path() == "/")
            .ok_or_else(|| PowerError::Told(format!("there is no ECS at `{endpoint}`")))?;
        let client = client(CLOUD)?;
        let credentials = credentials(&client, environment).await?;
        Ok(Self { client, endpoint, region: region.to_owned(), credentials, now })
    }

    async fn call(&self, what: &str, action: &str, body: &Value) -> Result<Value, PowerError> {
        let body = body.to_string();
        let now = i64::try_from(self.now.as_millis()).ok();
        let now = now.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()).unwrap_or_default();
        let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let host = match (self.endpoint.host_str().unwrap_or_default(), self.endpoint.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        let mut headers =
            vec![("content-type", "application/x-amz-json-1.1"), ("host", &*host), ("x-amz-date", &*moment)];
        if let Some(session) = &self.credentials.session {
            headers.push(("x-amz-security-token", session.expose()));
        }
        headers.push(("x-amz-target", &*target));
        let scope = Scope { moment: &moment, region: &self.region, service: "ecs" };
        let who = (self.credentials.id.as_str(), &self.credentials.key);
        let signature = authorization(&scope, who, "POST", &headers, body.as_bytes());
        send(CLOUD, what, || {
            let request = self.client.post(self.endpoint.clone()).header("authorization", &signature);
            let named = headers.iter().filter(|(name, _)| *name != "host");
            named.fold(request, |request, (name, value)| request.header(*name, *value)).body(body.clone())
        })
        .await
    }

    /// The tasks of a runner that run or soon will: what ECS lists unless it is asked for those that have ended. By who started
    /// them they are asked for alone, for beside that ECS takes no other filter.
    async fn tasks(&self, what: &str, cluster: &str, runner: &str) -> Result<Vec<String>, PowerError> {
        let asked = json!({ "cluster": cluster, "startedBy": runner });
        let answer = self.call(what, "ListTasks", &asked).await?;
        let tasks = answer["taskArns"].as_array().into_iter().flatten();
        Ok(tasks.filter_map(|task| task.as_str().map(str::to_owned)).collect())
    }

    /// Starts a runner's task; `false` when it has one already.
    ///
    /// # Errors
    ///
    /// When the cloud doesn't do it.
    pub async fn start(&self, cluster: &str, runner: &str, task: &NewTask) -> Result<bool, PowerError> {
        let what = format!("start the task of the runner `{runner}`");
        if !self.tasks(&what, cluster, runner).await?.is_empty() {
            return Ok(false);
        }
        let is_public = task.network["public_address"] == true;
        let tags = task.tags.as_object().into_iter().flatten();
        let asked = json!({
            "cluster": cluster,
            "taskDefinition": task.definition,
            "launchType": "FARGATE",
            "count": 1,
            "startedBy": runner,
            // Asked twice with the same ticket, it is started once.
            "clientToken": seal::fingerprint(task.ticket.expose()),
            "tags": tags.map(|(key, value)| json!({ "key": key, "value": value })).collect::<Vec<_>>(),
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": [task.network["subnet"]],
                "securityGroups": task.network["security_groups"].as_array().cloned().unwrap_or_default(),
                "assignPublicIp": if is_public { "ENABLED" } else { "DISABLED" },
            } },
            "overrides": { "containerOverrides": [{ "name": CONTAINER, "environment": [
                { "name": "GOSLING_RUNNER_CONFIG", "value": task.runner_config },
                { "name": "GOSLING_TICKET", "value": task.ticket.expose() },
            ] }] },
        });
        let answer = self.call(&what, "RunTask", &asked).await?;
        let failure = answer["failures"].as_array().and_then(|failures| failures.first());
        match failure {
            None => Ok(true),
            Some(failure) => {
                let word = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
                let reason = format!("{} {}", word("reason"), word("detail")).trim().to_owned();
                Err(PowerError::Refused { cloud: CLOUD, what, reason })
            }
        }
    }

    /// Stops a runner's task; `false` when it has none.
    ///
    /// # Errors
    ///
    /// When the cloud doesn't do it.
    pub async fn stop(&self, cluster: &str, runner: &str) -> Result<bool, PowerError> {
        let what = format!("stop the task of the runner `{runner}`");
        let tasks = self.tasks(&what, cluster, runner).await?;
        for task in &tasks {
            let asked =
                json!({ "cluster": cluster, "task": task, "reason": "the runner is not wanted any more" });
            self.call(&what, "StopTask", &asked).await?;
        }
        Ok(!tasks.is_empty())
    }
}

/// What opens AWS: keys of the environment, else those that a container or an instance there has.
async fn credentials(client: &Client, environment: &Environment) -> Result<Credentials, PowerError> {
    let id = given(environment, "AWS_ACCESS_KEY_ID");
    if let Some((id, key)) = id.zip(given(environment, "AWS_SECRET_ACCESS_KEY")) {
        let session = given(environment, "AWS_SESSION_TOKEN").map(Secret::new);
        return Ok(Credentials { id: id.to_owned(), key: Secret::new(key), session });
    }
    let found = match given(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(place) => {
            let url = format!("http://169.254.170.2{place}");
            send(CLOUD, "tell this container's credentials", || client.get(&url)).await.ok()
        }
        None => of_instance(client).await,
    };
    let read = |found: &Value| {
        let word = |name: &str| found[name].as_str().map(str::to_owned);
        let session = word("Token").map(Secret::new);
        Some(Credentials { id: word("AccessKeyId")?, key: Secret::new(word("SecretAccessKey")?), session })
    };
    found.as_ref().and_then(read).ok_or_else(|| PowerError::Credentials {
        cloud: CLOUD,
        reason: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and this is no container or instance there with a \
                 role; profiles and single sign-on are not read here"
            .to_owned(),
    })
}

/// The role of the instance that this is, if it is one.
async fn of_instance(client: &Client) -> Option<Value> {
    const PLACE: &str = "http://169.254.169.254/latest";
    let ask = |request: reqwest::RequestBuilder| async {
        let answer = request.timeout(Duration::from_secs(2)).send().await.ok()?.error_for_status().ok()?;
        answer.text().await.ok()
    };
    let opened = client.put(format!("{PLACE}/api/token"));
    let token = ask(opened.header("X-aws-ec2-metadata-token-ttl-seconds", "60")).await?;
    let roles = format!("{PLACE}/meta-data/iam/security-credentials/");
    let role = ask(client.get(&roles).header("X-aws-ec2-metadata-token", &token)).await?;
    let role = role.lines().next()?.trim().to_owned();
    let text = ask(client.get(format!("{roles}{role}")).header("X-aws-ec2-metadata-token", &token)).await?;
    serde_json::from_str(&text).ok()
}
