//! What the roles of an installation on AWS may do.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{aws::resources, bench::Bench};

/// Where AWS has no narrower resource than `*`, or none is known, and why.
const WIDE: &[(&str, &str)] = &[
    ("LookAtNetwork", "EC2 describes network interfaces and subnets of an account as a whole"),
    ("LookForRunners", "EC2 describes without a resource"),
    ("LookAtTaskDefinitions", "ECS describes a task definition without a resource"),
    ("EndTaskDefinitions", "ECS deregisters without a resource, and knows no tag for it"),
    (
        "ListTasks",
        "its resource is a container instance, which Fargate has none of; a condition names the clusters",
    ),
    ("LogInToRegistry", "a token of ECR is one for all repositories"),
    ("UseEc2", "an action that the author wrote, of a service that nothing is made of"),
    ("UseKms", "the same"),
    ("UseS3All", "all buckets are listed, or none"),
];

/// The values of a statement's entry, which may be one or many.
pub(crate) fn many(value: &Value) -> Vec<&str> {
    value.as_array().map_or_else(
        || vec![value.as_str().unwrap()],
        |all| all.iter().map(|one| one.as_str().unwrap()).collect(),
    )
}

/// What workers change of machines and tasks carries the Nest's tag, or is given it when it is made; roles and log groups
/// lie below a path of the Nest's own.
fn changes_its_own(address: &str, action: &str, statement: &Value) {
    if !address.ends_with("_runners") && !address.ends_with("_tasks") {
        return;
    }
    let (service, verb) = action.split_once(':').unwrap();
    let looks = ["Describe", "Get", "List"].iter().any(|look| verb.starts_with(look));
    let resources = many(&statement["Resource"]);
    match service {
        // The one that AWS can't restrict.
        "ecs" if verb == "DeregisterTaskDefinition" => {}
        // What a machine is made of is not changed by it.
        "ec2" if statement["Sid"] == "MakeRunnersOf" => assert_eq!(verb, "RunInstances"),
        "ec2" | "ecs" if !looks => {
            let tags = &statement["Condition"]["StringEquals"];
            let asked = ["aws:ResourceTag/gosling-nest", "aws:RequestTag/gosling-nest"];
            assert!(asked.iter().any(|tag| tags[tag].is_string()), "{address}: {action} asks for no tag");
        }
        "iam" => {
            let own = |arn: &&str| arn.contains(":role/gosling/") && arn.matches('/').count() == 3;
            assert!(resources.iter().all(own), "{address}: {action} on {resources:?}");
        }
        "logs" if !looks => {
            let own = |arn: &&str| arn.contains(":log-group:/gosling/") && arn.matches('/').count() == 3;
            assert!(resources.iter().all(own), "{address}: {action} on {resources:?}");
        }
        _ => {}
    }
}

/// What every role is allowed: no `*` of actions, and no `*` of things but where AWS knows nothing narrower.
pub(crate) fn may_do_no_more_than_it_must(bench: &Bench) {
    let policies =
        resources(bench, "aws_iam_policy").into_iter().chain(resources(bench, "aws_iam_role_policy"));
    for (address, values) in policies {
        let policy: Value = serde_json::from_str(values["policy"].as_str().unwrap()).unwrap();
        let mut sids = BTreeSet::new();
        for statement in policy["Statement"].as_array().unwrap() {
            let sid = statement["Sid"].as_str().unwrap();
            assert!(sids.insert(sid), "{address} has {sid} twice");
            assert!(sid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{address}: {sid}");
            if statement["Effect"] == "Deny" {
                continue;
            }
            for action in many(&statement["Action"]) {
                assert!(!action.contains('*'), "{address}: {sid} allows {action}");
                changes_its_own(&address, action, statement);
                if action == "iam:PassRole" {
                    let service = &statement["Condition"]["StringEquals"]["iam:PassedToService"];
                    assert_eq!(service, "ecs-tasks.amazonaws.com", "{address}");
                }
            }
            for resource in many(&statement["Resource"]) {
                let listed = WIDE.iter().any(|(known, _)| *known == sid);
                assert_eq!(resource == "*", listed, "{address}: {sid} allows something on {resource}");
                // `arn:aws:SERVICE:REGION:ACCOUNT:WHAT`
                let what = resource.splitn(6, ':').nth(5).unwrap_or_default();
                assert!(listed || resource.starts_with("arn:aws:"), "{address}: {resource}");
                assert!(
                    listed || !what.starts_with('*') || sid == "DetachFromNetwork",
                    "{address}: {resource}"
                );
            }
        }
        // The longest that AWS takes.
        assert!(policy.to_string().len() <= 6144, "{address}: {}", policy.to_string().len());
    }
    for (address, role) in resources(bench, "aws_iam_role") {
        let trust: Value = serde_json::from_str(role["assume_role_policy"].as_str().unwrap()).unwrap();
        for statement in trust["Statement"].as_array().unwrap() {
            let service = statement["Principal"]["Service"].as_str().unwrap();
            assert!(["lambda.amazonaws.com", "scheduler.amazonaws.com"].contains(&service), "{address}");
            if service == "scheduler.amazonaws.com" {
                assert!(statement["Condition"]["StringEquals"]["aws:SourceArn"].is_string(), "{address}");
            }
        }
    }
}
