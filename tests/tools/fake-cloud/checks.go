package main

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// limit is what the cloud asks of one attribute. An attribute that isn't set, or isn't known yet, is not looked at.
type limit struct {
	kind, attribute string // `kind` may hold `*`
	pattern         string
	from, to        float64 // of a number; of a text's length in bytes with `bytes`
	bytes           bool
	oneOf           []string
	json            bool
}

var compiled = map[string]*regexp.Regexp{}

var limits = []limit{
	{kind: "aws_instance", attribute: "user_data", to: 16384, bytes: true},
	{kind: "aws_s3_bucket", attribute: "bucket", pattern: `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`},
	{kind: "aws_sqs_queue", attribute: "name", pattern: `[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo`},
	{kind: "aws_sqs_queue", attribute: "visibility_timeout_seconds", to: 43200},
	{kind: "aws_sqs_queue", attribute: "message_retention_seconds", from: 60, to: 1209600},
	{kind: "aws_sqs_queue", attribute: "delay_seconds", to: 900},
	{kind: "aws_sqs_queue", attribute: "receive_wait_time_seconds", to: 20},
	{kind: "aws_sqs_queue", attribute: "max_message_size", from: 1024, to: 1048576},
	{kind: "aws_sqs_queue*", attribute: "redrive_policy", json: true},
	{kind: "aws_sqs_queue*", attribute: "redrive_allow_policy", json: true},
	{kind: "aws_*", attribute: "policy", json: true},
	{kind: "aws_iam_role", attribute: "assume_role_policy", json: true},
	{kind: "aws_iam_role", attribute: "name", pattern: `[\w+=,.@-]{1,64}`},
	{kind: "aws_iam_*", attribute: "name", pattern: `[\w+=,.@-]{1,128}`},
	{kind: "aws_iam_role", attribute: "description", pattern: `[\t\n\r\x{20}-\x{7e}\x{a1}-\x{ff}]{0,1000}`},
	{kind: "aws_lambda_function", attribute: "function_name", pattern: `[a-zA-Z0-9_-]{1,64}`},
	{kind: "aws_lambda_function", attribute: "timeout", from: 1, to: 900},
	{kind: "aws_lambda_function", attribute: "memory_size", from: 128, to: 10240},
	{kind: "aws_cloudwatch_log_group", attribute: "name", pattern: `[.\-_/#A-Za-z0-9]{1,512}`},
	{
		kind: "aws_cloudwatch_log_group", attribute: "retention_in_days",
		oneOf: list("0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"),
	},
	{kind: "aws_dynamodb_table", attribute: "name", pattern: `[a-zA-Z0-9_.-]{3,255}`},
	{kind: "aws_scheduler_schedule*", attribute: "name", pattern: `[0-9a-zA-Z-_.]{1,64}`},
	{kind: "aws_scheduler_schedule", attribute: "schedule_expression", pattern: `(at|cron|rate)\(.+\)`},
	{kind: "aws_ecs_cluster", attribute: "name", pattern: `[a-zA-Z0-9_-]{1,255}`},
	{kind: "aws_ecs_service", attribute: "name", pattern: `[a-zA-Z0-9_-]{1,255}`},
	{kind: "aws_ecs_task_definition", attribute: "family", pattern: `[a-zA-Z0-9_-]{1,255}`},
	{kind: "aws_ecs_task_definition", attribute: "container_definitions", json: true},
	{kind: "aws_security_group", attribute: "name", pattern: `[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}`},
	{kind: "aws_security_group", attribute: "description", pattern: `[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}`},
	{kind: "aws_vpc_security_group_*_rule", attribute: "description", pattern: `[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}`},
	{kind: "aws_ecr_repository", attribute: "name", pattern: `[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*`},
	{kind: "aws_apigatewayv2_api", attribute: "name", to: 128, bytes: true},
	{kind: "aws_secretsmanager_secret", attribute: "name", pattern: `[a-zA-Z0-9/_+=.@-]{1,512}`},
	{kind: "aws_ec2_instance_state", attribute: "state", oneOf: list("running stopped")},

	{kind: "yandex_compute_*", attribute: "name", pattern: `([a-z]([-_a-z0-9]{0,61}[a-z0-9])?)?`},
	{kind: "yandex_vpc_*", attribute: "name", pattern: `([a-zA-Z]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?`},
	{kind: "yandex_iam_service_account", attribute: "name", pattern: `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`},
	{kind: "yandex_serverless_container", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_function", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_function_trigger", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_api_gateway", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_container_registry", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_logging_group", attribute: "name", pattern: `([a-z][-a-z0-9]{1,61}[a-z0-9])?`},
	{kind: "yandex_storage_bucket", attribute: "bucket", pattern: `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`},
	{kind: "yandex_message_queue", attribute: "name", pattern: `[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo`},
	{kind: "yandex_message_queue", attribute: "visibility_timeout_seconds", to: 43200},
	{kind: "yandex_message_queue", attribute: "message_retention_seconds", from: 60, to: 1209600},
	{kind: "yandex_message_queue", attribute: "receive_wait_time_seconds", to: 20},
	{kind: "yandex_message_queue", attribute: "redrive_policy", json: true},
	{kind: "yandex_storage_bucket*", attribute: "policy", json: true},
	{kind: "yandex_serverless_container", attribute: "core_fraction", oneOf: list("5 20 50 100")},
	{kind: "yandex_serverless_container", attribute: "concurrency", to: 16},
	{kind: "yandex_*", attribute: "description", to: 256, bytes: true},
}

// allowed says what the cloud would refuse of a planned resource.
func (s *server) allowed(kind string, planned object) error {
	for _, one := range limits {
		if matches, _ := path.Match(one.kind, kind); matches {
			if reason := one.broken(planned[one.attribute]); reason != "" {
				return fmt.Errorf("%s of %s %s", one.attribute, kind, reason)
			}
		}
	}
	if reason := badMarks(planned); reason != "" {
		return fmt.Errorf("%s: %s", kind, reason)
	}
	if check := special[kind]; check != nil {
		if reason := check(planned); reason != "" {
			return fmt.Errorf("%s: %s", kind, reason)
		}
	}
	return nil
}

func (l limit) broken(value any) string {
	var said string
	switch value := value.(type) {
	case string:
		said = value
	case json.Number:
		said = string(value)
	default:
		return ""
	}
	if l.json && said != "" && !json.Valid([]byte(said)) {
		return "is no valid JSON"
	}
	if l.pattern != "" {
		if !compiled[l.pattern].MatchString(said) {
			return fmt.Sprintf("%q does not match %s", said, l.pattern)
		}
	}
	if l.oneOf != nil && !slices.Contains(l.oneOf, said) {
		return fmt.Sprintf("%s is none of %s", said, strings.Join(l.oneOf, ", "))
	}
	if l.to > 0 {
		size, isNumber := number(value)
		if l.bytes {
			size, isNumber = float64(len(said)), true
		}
		if isNumber && (size < l.from || size > l.to) {
			return fmt.Sprintf("is %v, and %v to %v are allowed", size, l.from, l.to)
		}
	}
	return ""
}

func init() {
	for _, one := range limits {
		if one.pattern != "" {
			compiled[one.pattern] = regexp.MustCompile(`\A(?:` + one.pattern + `)\z`)
		}
	}
}

func number(value any) (float64, bool) {
	switch value := value.(type) {
	case json.Number:
		out, err := value.Float64()
		return out, err == nil
	case string:
		out, err := json.Number(value).Float64()
		return out, err == nil
	}
	return 0, false
}

var (
	labelKey   = regexp.MustCompile(`\A[a-z][-_./\\@0-9a-z]{0,62}\z`)
	labelValue = regexp.MustCompile(`\A[-_./\\@0-9a-z]{0,63}\z`)
	tag        = regexp.MustCompile(`\A[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z`)
)

// badMarks looks at labels and tags.
func badMarks(planned object) string {
	labels, _ := planned["labels"].(object)
	for key, value := range labels {
		if text, is := value.(string); is && (!labelKey.MatchString(key) || !labelValue.MatchString(text)) {
			return fmt.Sprintf("the label %q = %q has characters that labels can't have", key, text)
		}
	}
	tags, _ := planned["tags"].(object)
	for key, value := range tags {
		if text, is := value.(string); is {
			switch {
			case !tag.MatchString(key) || !tag.MatchString(text):
				return fmt.Sprintf("the tag %q = %q has characters that tags can't have", key, text)
			case len(key) > 128 || len(text) > 256 || strings.HasPrefix(key, "aws:"):
				return fmt.Sprintf("the tag %q is too long, or begins with aws:", key)
			}
		}
	}
	if len(labels) > 64 || len(tags) > 50 {
		return "has too many labels or tags"
	}
	return ""
}

// special holds what is asked of several attributes together.
var special = map[string]func(object) string{
	"aws_ecs_task_definition":     fargate,
	"aws_dynamodb_table":          indexed,
	"yandex_serverless_container": container,
	"yandex_function":             variables,
	"aws_lambda_function":         variables,
	"yandex_compute_instance":     shape,
	"aws_sqs_queue":               fifo,
	"yandex_message_queue":        fifo,
}

func blocks(of object, name string) (out []object) {
	all, _ := of[name].([]any)
	for _, one := range all {
		if one, is := one.(object); is {
			out = append(out, one)
		}
	}
	return out
}

// fargate knows which memory goes with which CPU.
func fargate(planned object) string {
	compatible, _ := planned["requires_compatibilities"].([]any)
	if !slices.Contains(compatible, any("FARGATE")) {
		return ""
	}
	if mode, is := planned["network_mode"].(string); is && mode != "awsvpc" {
		return "Fargate only supports network mode 'awsvpc'."
	}
	cpu, hasCPU := number(planned["cpu"])
	memory, hasMemory := number(planned["memory"])
	if !hasCPU || !hasMemory {
		return ""
	}
	offers := map[float64][3]float64{ // least, most, step
		512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024}, 4096: {8192, 30720, 1024},
		8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
	}
	offer, known := offers[cpu]
	fits := known && memory >= offer[0] && memory <= offer[1] && int(memory)%int(offer[2]) == 0
	if cpu == 256 {
		fits = memory == 512 || memory == 1024 || memory == 2048
	}
	if !fits {
		return fmt.Sprintf("ClientException: No Fargate configuration exists for given values: %v CPU, %v memory.", cpu, memory)
	}
	for _, one := range blocks(planned, "ephemeral_storage") {
		if size, is := number(one["size_in_gib"]); is && (size < 21 || size > 200) {
			return fmt.Sprintf("ephemeral_storage.size_in_gib is %v, and 21 to 200 are allowed", size)
		}
	}
	return ""
}

// indexed: a table declares the attributes of its keys, and no others.
func indexed(planned object) string {
	used := map[string]bool{}
	note := func(of object) {
		for _, name := range []string{"hash_key", "range_key"} {
			if key := text(of, name); key != "" {
				used[key] = true
			}
		}
		for _, key := range blocks(of, "key_schema") {
			used[text(key, "attribute_name")] = true
		}
	}
	note(planned)
	for _, name := range []string{"global_secondary_index", "local_secondary_index"} {
		for _, index := range blocks(planned, name) {
			note(index)
		}
	}
	declared := map[string]bool{}
	for _, one := range blocks(planned, "attribute") {
		declared[text(one, "name")] = true
		if !used[text(one, "name")] {
			return fmt.Sprintf("all attributes must be indexed. Unused attributes: [%q]", text(one, "name"))
		}
	}
	for key := range used {
		if !declared[key] {
			return fmt.Sprintf("all indexes must match a defined attribute. Unmatched indexes: [%q]", key)
		}
	}
	return ""
}

// variables: all names and values together; what isn't known yet does not count.
func variables(planned object) string {
	total := 0
	add := func(of any) {
		all, _ := of.(object)
		for name, value := range all {
			if text, is := value.(string); is {
				total += len(name) + len(text)
			}
		}
	}
	add(planned["environment"]) // yandex_function
	for _, one := range blocks(planned, "environment") {
		add(one["variables"]) // aws_lambda_function
	}
	for _, one := range blocks(planned, "image") {
		add(one["environment"]) // yandex_serverless_container
	}
	if total > 4096 {
		return fmt.Sprintf("the environment variables have %d bytes together, and 4096 are allowed", total)
	}
	return ""
}

func container(planned object) string {
	if reason := variables(planned); reason != "" {
		return reason
	}
	if memory, is := number(planned["memory"]); is && (int(memory)%128 != 0 || memory < 128 || memory > 8192) {
		return fmt.Sprintf("memory is %v: it must be a multiple of 128, from 128 to 8192", memory)
	}
	if timeout, is := strings.CutSuffix(text(planned, "execution_timeout"), "s"); is {
		if seconds, is := number(timeout); is && seconds > 3600 {
			return "execution_timeout is above an hour"
		}
	}
	return ""
}

// shape knows what standard-v3 offers.
func shape(planned object) string {
	if text(planned, "platform_id") != "standard-v3" {
		return ""
	}
	for _, one := range blocks(planned, "resources") {
		cores, _ := number(one["cores"])
		memory, _ := number(one["memory"])
		fraction, is := number(one["core_fraction"])
		if !is {
			fraction = 100
		}
		most := map[float64][2]float64{20: {4, 4}, 50: {4, 4}, 100: {96, 16}}[fraction] // cores, GiB a core
		if most[0] == 0 || cores > most[0] || int(cores)%2 != 0 || memory > cores*most[1] || memory < cores*0.5 {
			return fmt.Sprintf("rpc error: code = InvalidArgument desc = the specified number of cores, %v with %v%% and %v GB, is not available on platform \"standard-v3\"", cores, fraction, memory)
		}
	}
	return ""
}

func fifo(planned object) string {
	name, named := planned["name"].(string)
	if named && name != "" && (planned["fifo_queue"] == true) != strings.HasSuffix(name, ".fifo") {
		return fmt.Sprintf("the name %q ends with .fifo when the queue is FIFO, and only then", name)
	}
	return ""
}
