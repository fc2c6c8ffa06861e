package main

import "strings"

// account is the fake cloud's; an ARN with it names one of its own things.
const account = "210987654321"

// rule is what is special about a type of resource. A type without one works too: it gets a plausible id, and each of
// its attributes can be changed in place.
type rule struct {
	// prefix begins the id, as in the real cloud; id is a template for ids that are no random text.
	prefix, id, arn string
	// keys name the attributes that tell one from another when the id alone doesn't.
	keys []string
	// fixed names what can't be changed in place: changing it makes the resource anew. `*` is any one name.
	fixed []string
	// renewed names what the cloud says anew after each change.
	renewed []string
	// heldBy names the types that keep this one from being deleted while they refer to it.
	heldBy []string
	// named: in one folder, a name is given once.
	named bool
	// puts: the cloud takes another create for a change; else what is there already is refused.
	puts bool
	// says holds values that the cloud says.
	says object
}

func (r rule) key(of object) string {
	if len(r.keys) == 0 {
		return text(of, "id")
	}
	values := make([]string, len(r.keys))
	for at, name := range r.keys {
		values[at] = text(of, name)
	}
	return strings.Join(values, ",")
}

// view is a resource that is no thing of its own, but one attribute of another thing.
type view struct {
	of, by      string // the other thing: its type, and the attribute here that holds its key
	from, shows string // the attribute there, and the one here
}

var views = map[string]view{
	"aws_ec2_instance_state": {of: "aws_instance", by: "instance_id", from: "instance_state", shows: "state"},
}

var rules = join(awsRules, yandexRules)

func join(all ...map[string]rule) map[string]rule {
	out := map[string]rule{}
	for _, one := range all {
		for kind, rule := range one {
			out[kind] = rule
		}
	}
	return out
}

func list(names string) []string { return strings.Fields(names) }

// part is a resource that sets one side of a bucket or queue, by whose name it goes.
func part(of string) rule {
	return rule{id: "{" + of + "}", keys: []string{of}, fixed: []string{of}, puts: true}
}

var awsRules = map[string]rule{
	"aws_instance": {
		prefix: "i-", arn: "ec2:{region}:{account}:instance/{id}",
		fixed: list(`ami associate_public_ip_address availability_zone capacity_reservation_specification cpu_options
			enclave_options ephemeral_block_device get_password_data hibernation host_id ipv6_address_count
			ipv6_addresses key_name launch_template network_interface placement_group primary_network_interface
			private_ip root_block_device.encrypted root_block_device.kms_key_id
			secondary_private_ips subnet_id tenancy`),
		says: object{"instance_state": "running"},
	},
	"aws_ebs_volume": {
		prefix: "vol-", arn: "ec2:{region}:{account}:volume/{id}", heldBy: list("aws_volume_attachment"),
		fixed: list("availability_zone encrypted kms_key_id outpost_arn snapshot_id"),
	},
	"aws_volume_attachment":  {id: "vai-{instance_id}-{volume_id}-{device_name}", fixed: list("device_name instance_id volume_id")},
	"aws_ec2_instance_state": {fixed: list("instance_id")},

	"aws_vpc": {
		prefix: "vpc-", arn: "ec2:{region}:{account}:vpc/{id}", fixed: list("cidr_block ipv4_ipam_pool_id"),
		heldBy: list("aws_subnet aws_security_group aws_internet_gateway aws_route_table aws_vpc_endpoint"),
	},
	"aws_subnet": {
		prefix: "subnet-", arn: "ec2:{region}:{account}:subnet/{id}", fixed: list("availability_zone availability_zone_id cidr_block vpc_id"),
		heldBy: list("aws_instance aws_nat_gateway aws_ecs_service aws_lambda_function aws_vpc_endpoint aws_route_table_association"),
	},
	"aws_security_group": {
		prefix: "sg-", arn: "ec2:{region}:{account}:security-group/{id}", fixed: list("description name name_prefix vpc_id"),
		heldBy: list("aws_instance aws_ecs_service aws_lambda_function aws_vpc_endpoint aws_security_group"),
	},
	"aws_vpc_security_group_egress_rule":  {prefix: "sgr-", fixed: list("security_group_id")},
	"aws_vpc_security_group_ingress_rule": {prefix: "sgr-", fixed: list("security_group_id")},
	"aws_internet_gateway":                {prefix: "igw-", arn: "ec2:{region}:{account}:internet-gateway/{id}"},
	"aws_nat_gateway":                     {prefix: "nat-", fixed: list("allocation_id connectivity_type private_ip subnet_id")},
	"aws_eip":                             {prefix: "eipalloc-", heldBy: list("aws_nat_gateway"), fixed: list("address domain network_border_group")},
	"aws_route_table":                     {prefix: "rtb-", fixed: list("vpc_id"), heldBy: list("aws_route_table_association")},
	"aws_route":                           {id: "r-{route_table_id}{destination_cidr_block}{destination_ipv6_cidr_block}", fixed: list("destination_cidr_block destination_ipv6_cidr_block destination_prefix_list_id route_table_id")},
	"aws_route_table_association":         {prefix: "rtbassoc-", fixed: list("gateway_id subnet_id")},
	"aws_vpc_endpoint":                    {prefix: "vpce-", arn: "ec2:{region}:{account}:vpc-endpoint/{id}", fixed: list("service_name vpc_endpoint_type vpc_id")},

	"aws_ecs_cluster": {id: "{arn}", arn: "ecs:{region}:{account}:cluster/{name}", fixed: list("name"), heldBy: list("aws_ecs_service")},
	"aws_ecs_service": {
		id: "{arn}", arn: "ecs:{region}:{account}:service/{cluster/}/{name}",
		fixed: list("cluster iam_role launch_type name scheduling_strategy"),
	},
	"aws_ecs_task_definition": {
		id: "{family}", keys: list("family revision"), arn: "ecs:{region}:{account}:task-definition/{family}:{revision}",
		fixed: list(`container_definitions cpu enable_fault_injection ephemeral_storage execution_role_arn family ipc_mode memory
			network_mode pid_mode placement_constraints proxy_configuration requires_compatibilities runtime_platform
			task_role_arn volume`),
	},
	"aws_iam_role": {
		id: "{name}", arn: "iam::{account}:role{path}{name}", fixed: list("name name_prefix path"),
		heldBy: list("aws_iam_role_policy_attachment"),
	},
	"aws_iam_role_policy":            {puts: true, id: "{role}:{name}", fixed: list("name name_prefix role")},
	"aws_iam_role_policy_attachment": {puts: true, id: "{role}/{policy_arn}", fixed: list("policy_arn role")},
	"aws_iam_policy": {
		id: "{arn}", arn: "iam::{account}:policy{path}{name}", fixed: list("description name name_prefix path"),
		heldBy: list("aws_iam_role_policy_attachment"),
	},
	"aws_iam_instance_profile": {id: "{name}", arn: "iam::{account}:instance-profile{path}{name}", fixed: list("name name_prefix path")},
	"aws_cloudwatch_log_group": {id: "{name}", arn: "logs:{region}:{account}:log-group:{name}", fixed: list("log_group_class name name_prefix")},
	"aws_cloudwatch_metric_alarm": {
		puts: true, id: "{alarm_name}", arn: "cloudwatch:{region}:{account}:alarm:{alarm_name}", fixed: list("alarm_name"),
	},
	"aws_lambda_function": {
		id: "{function_name}", arn: "lambda:{region}:{account}:function:{function_name}", fixed: list("function_name package_type"),
		renewed: list("last_modified qualified_arn qualified_invoke_arn version"),
		says:    object{"invoke_arn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"},
	},
	"aws_lambda_permission": {
		id: "{statement_id}", keys: list("function_name statement_id"),
		fixed: list("action event_source_token function_name function_url_auth_type principal principal_org_id qualifier source_account source_arn statement_id statement_id_prefix"),
	},
	"aws_lambda_event_source_mapping":           {fixed: list("event_source_arn starting_position starting_position_timestamp queues topics")},
	"aws_lambda_alias":                          {id: "{arn}", arn: "lambda:{region}:{account}:function:{function_name/}:{name}", fixed: list("function_name name")},
	"aws_lambda_provisioned_concurrency_config": {puts: true, id: "{function_name},{qualifier}", fixed: list("function_name qualifier")},
	"aws_lambda_function_url":                   {id: "{function_name}", keys: list("function_name qualifier"), fixed: list("function_name qualifier")},

	"aws_apigatewayv2_api": {
		fixed: list("protocol_type"), heldBy: list("aws_apigatewayv2_api_mapping"),
		says: object{"api_endpoint": "https://{id}.execute-api.{region}.amazonaws.com", "execution_arn": "arn:aws:execute-api:{region}:{account}:{id}"},
	},
	"aws_apigatewayv2_stage":       {id: "{name}", keys: list("api_id name"), fixed: list("api_id name")},
	"aws_apigatewayv2_authorizer":  {fixed: list("api_id")},
	"aws_apigatewayv2_integration": {fixed: list("api_id connection_type integration_subtype integration_type")},
	"aws_apigatewayv2_route":       {fixed: list("api_id")},
	"aws_apigatewayv2_domain_name": {id: "{domain_name}", fixed: list("domain_name"), heldBy: list("aws_apigatewayv2_api_mapping")},
	"aws_apigatewayv2_api_mapping": {fixed: list("api_id domain_name")},

	"aws_sqs_queue": {
		id: "https://sqs.{region}.amazonaws.com/{account}/{name}", arn: "sqs:{region}:{account}:{name}",
		fixed: list("fifo_queue name name_prefix"), says: object{"url": "{id}"},
	},
	"aws_sqs_queue_policy":               part("queue_url"),
	"aws_sqs_queue_redrive_policy":       part("queue_url"),
	"aws_sqs_queue_redrive_allow_policy": part("queue_url"),
	"aws_scheduler_schedule": {
		id: "{group_name}/{name}", arn: "scheduler:{region}:{account}:schedule/{group_name}/{name}", fixed: list("group_name name name_prefix"),
		says: object{"group_name": "default"},
	},
	"aws_scheduler_schedule_group": {id: "{name}", arn: "scheduler:{region}:{account}:schedule-group/{name}", fixed: list("name name_prefix")},
	"aws_dynamodb_table":           {id: "{name}", arn: "dynamodb:{region}:{account}:table/{name}", fixed: list("hash_key local_secondary_index name range_key")},

	"aws_s3_bucket": {
		id: "{bucket}", arn: "s3:::{bucket}", fixed: list("bucket bucket_prefix object_lock_enabled"),
		says: object{"bucket_domain_name": "{bucket}.s3.amazonaws.com", "bucket_regional_domain_name": "{bucket}.s3.{region}.amazonaws.com", "bucket_region": "{region}"},
	},
	"aws_s3_bucket_versioning":                           part("bucket"),
	"aws_s3_bucket_lifecycle_configuration":              part("bucket"),
	"aws_s3_bucket_public_access_block":                  part("bucket"),
	"aws_s3_bucket_server_side_encryption_configuration": part("bucket"),
	"aws_s3_bucket_policy":                               part("bucket"),
	"aws_s3_bucket_ownership_controls":                   part("bucket"),

	"aws_ecr_repository": {
		id: "{name}", arn: "ecr:{region}:{account}:repository/{name}", fixed: list("encryption_configuration name"),
		says: object{"registry_id": account, "repository_url": "{account}.dkr.ecr.{region}.amazonaws.com/{name}"},
	},
	"aws_appautoscaling_target": {
		puts: true, id: "{resource_id}", keys: list("service_namespace scalable_dimension resource_id"),
		fixed: list("resource_id scalable_dimension service_namespace"),
	},
	"aws_appautoscaling_policy": {
		puts: true, id: "{name}", keys: list("service_namespace scalable_dimension resource_id name"),
		fixed: list("name resource_id scalable_dimension service_namespace"),
	},
	"aws_kms_key": {
		arn: "kms:{region}:{account}:key/{id}", fixed: list("custom_key_store_id customer_master_key_spec key_usage multi_region"),
		says: object{"key_id": "{id}"},
	},
	"aws_secretsmanager_secret": {id: "{arn}", arn: "secretsmanager:{region}:{account}:secret:{name}-fAkE00", fixed: list("name name_prefix")},
}

var yandexRules = map[string]rule{
	"yandex_compute_instance": {
		prefix: "fhm", named: true,
		fixed: list(`boot_disk.auto_delete boot_disk.device_name boot_disk.disk_id boot_disk.initialize_params
			boot_disk.mode folder_id gpu_cluster_id hostname local_disk scheduling_policy zone`),
		says: object{"status": "running", "fqdn": "{id}.auto.internal"},
	},
	"yandex_compute_disk":           {prefix: "fhm", named: true, fixed: list("block_size disk_placement_policy folder_id image_id kms_key_id snapshot_id type zone"), heldBy: list("yandex_compute_instance"), says: object{"status": "ready"}},
	"yandex_compute_instance_group": {prefix: "cl1", named: true, fixed: list("folder_id"), says: object{"status": "ACTIVE"}},

	"yandex_vpc_network":        {prefix: "enp", named: true, fixed: list("folder_id"), heldBy: list("yandex_vpc_subnet yandex_vpc_security_group yandex_vpc_route_table")},
	"yandex_vpc_subnet":         {prefix: "e9b", named: true, fixed: list("folder_id network_id zone"), heldBy: list("yandex_compute_instance yandex_ydb_database_dedicated")},
	"yandex_vpc_security_group": {prefix: "enp", named: true, fixed: list("folder_id network_id"), heldBy: list("yandex_compute_instance"), says: object{"status": "ACTIVE"}},
	"yandex_vpc_gateway":        {prefix: "enp", named: true, fixed: list("folder_id"), heldBy: list("yandex_vpc_route_table")},
	"yandex_vpc_route_table":    {prefix: "enp", named: true, fixed: list("folder_id network_id"), heldBy: list("yandex_vpc_subnet")},
	"yandex_vpc_address":        {prefix: "e9b", named: true, fixed: list("external_ipv4_address folder_id")},

	"yandex_serverless_container":             {prefix: "bba", named: true, fixed: list("folder_id"), renewed: list("revision_id"), says: object{"url": "https://{id}.containers.yandexcloud.net/"}},
	"yandex_serverless_container_iam_binding": {puts: true, id: "{container_id}/{role}", fixed: list("container_id role")},
	"yandex_function":                         {prefix: "d4e", named: true, fixed: list("folder_id"), renewed: list("version image_size")},
	"yandex_function_iam_binding":             {puts: true, id: "{function_id}/{role}", fixed: list("function_id role")},
	"yandex_function_scaling_policy":          {puts: true, id: "{function_id}", fixed: list("function_id")},
	"yandex_function_trigger": {
		prefix: "a1s", named: true,
		fixed: list("container_registry data_streams dlq folder_id iot log_group logging mail message_queue object_storage timer"),
	},
	"yandex_api_gateway": {prefix: "d5d", named: true, fixed: list("folder_id"), says: object{"domain": "{id}.apigw.yandexcloud.net", "status": "ACTIVE"}},
	"yandex_message_queue": {
		id: "https://message-queue.api.cloud.yandex.net/b1gfake/{name}", arn: "yrn:yc:ymq:{zone}:b1gfake:{name}",
		fixed: list("fifo_queue name name_prefix region_id"),
	},
	"yandex_ydb_database_serverless": {prefix: "etn", named: true, fixed: list("folder_id"), says: ydbSays},
	"yandex_ydb_database_dedicated":  {prefix: "etn", named: true, fixed: list("folder_id network_id region_id subnet_ids"), says: ydbSays},
	"yandex_ydb_table":               {id: "{connection_string}?path={path}", fixed: list("connection_string path primary_key")},
	"yandex_ydb_table_index":         {id: "{table_id}{table_path}/{name}", fixed: list("columns connection_string cover name table_id table_path type")},

	"yandex_storage_bucket":                        {id: "{bucket}", fixed: list("bucket bucket_prefix folder_id"), heldBy: list("yandex_storage_object"), says: object{"bucket_domain_name": "{bucket}.storage.yandexcloud.net"}},
	"yandex_storage_bucket_policy":                 part("bucket"),
	"yandex_storage_object":                        {puts: true, id: "{key}", keys: list("bucket key"), fixed: list("bucket key")},
	"yandex_iam_service_account":                   {prefix: "aje", named: true, fixed: list("folder_id")},
	"yandex_iam_service_account_static_access_key": {prefix: "aje", fixed: list("description output_to_lockbox pgp_key service_account_id")},
	"yandex_iam_service_account_iam_member":        {puts: true, id: "{service_account_id}/{role}/{member}", fixed: list("*")},
	"yandex_resourcemanager_folder_iam_member":     {puts: true, id: "{folder_id}/{role}/{member}", fixed: list("*")},
	"yandex_lockbox_secret":                        {prefix: "e6q", named: true, fixed: list("folder_id kms_key_id")},
	"yandex_lockbox_secret_version":                {prefix: "e6q", fixed: list("*")},
	"yandex_lockbox_secret_iam_member":             {puts: true, id: "{secret_id}/{role}/{member}", fixed: list("*")},
	"yandex_container_registry":                    {prefix: "crp", named: true, fixed: list("folder_id"), heldBy: list("yandex_container_repository")},
	"yandex_container_repository":                  {prefix: "crp", fixed: list("name")},
	"yandex_kms_symmetric_key":                     {prefix: "abj", named: true, fixed: list("folder_id"), says: object{"status": "active"}},
	"yandex_kms_symmetric_key_iam_member":          {puts: true, id: "{symmetric_key_id}/{role}/{member}", fixed: list("*")},
	"yandex_logging_group":                         {prefix: "e23", named: true, fixed: list("folder_id"), says: object{"status": "ACTIVE"}},
}

var ydbSays = object{
	"database_path":         "/ru-central1/b1gfake/{id}",
	"document_api_endpoint": "https://docapi.serverless.yandexcloud.net/ru-central1/b1gfake/{id}",
	"ydb_api_endpoint":      "ydb.serverless.yandexcloud.net:2135",
	"ydb_full_endpoint":     "grpcs://ydb.serverless.yandexcloud.net:2135/?database=/ru-central1/b1gfake/{id}",
	"status":                "RUNNING",
}
