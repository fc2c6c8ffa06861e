terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "step" {
  description = "What is changed from one apply to the next."
  type        = number
}
provider "aws" {
  region = "eu-central-1"
  default_tags {
    tags = { nest = "n" }
  }
}
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_partition" "p" {}
data "aws_availability_zones" "z" { state = "available" }
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}
data "aws_iam_policy_document" "q" {
  statement {
    sid       = "Q"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.q.arn]
  }
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}
resource "aws_iam_role_policy" "rp" {
  name   = "rp"
  role   = aws_iam_role.r.id
  policy = data.aws_iam_policy_document.q.json
}
resource "aws_iam_policy" "p" {
  name   = "p"
  policy = data.aws_iam_policy_document.q.json
}
resource "aws_iam_role_policy_attachment" "a" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role_policy_attachment" "b" {
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}
resource "aws_iam_instance_profile" "ip" {
  name = "ip"
  role = aws_iam_role.r.name
}
resource "aws_cloudwatch_log_group" "l" {
  name              = "/ecs/x"
  retention_in_days = 7
}
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "s" {
  count             = 2
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet(aws_vpc.v.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.z.names[count.index]
}
resource "aws_internet_gateway" "i" { vpc_id = aws_vpc.v.id }
resource "aws_eip" "e" { domain = "vpc" }
resource "aws_nat_gateway" "n" {
  allocation_id = aws_eip.e.id
  subnet_id     = aws_subnet.s[0].id
}
resource "aws_route_table" "t" { vpc_id = aws_vpc.v.id }
resource "aws_route" "r" {
  route_table_id         = aws_route_table.t.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.n.id
}
resource "aws_route_table_association" "a" {
  route_table_id = aws_route_table.t.id
  subnet_id      = aws_subnet.s[1].id
}
resource "aws_security_group" "g" {
  name   = "g"
  vpc_id = aws_vpc.v.id
}
resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.g.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.v.id
  service_name    = "com.amazonaws.${data.aws_region.here.region}.s3"
  route_table_ids = [aws_route_table.t.id]
}
resource "aws_ecs_cluster" "c" { name = "c" }
resource "aws_ecs_task_definition" "t" {
  family                   = "f"
  cpu                      = var.step == 1 ? 256 : 512
  memory                   = 1024
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.r.arn
  container_definitions    = jsonencode([{ name = "x", image = "i" }])
}
resource "aws_ecs_service" "s" {
  name            = "s"
  cluster         = aws_ecs_cluster.c.id
  task_definition = aws_ecs_task_definition.t.arn
  desired_count   = 1
  launch_type     = "FARGATE"
  network_configuration {
    subnets         = aws_subnet.s[*].id
    security_groups = [aws_security_group.g.id]
  }
}
resource "aws_appautoscaling_target" "t" {
  min_capacity       = 1
  max_capacity       = 4
  resource_id        = "service/${aws_ecs_cluster.c.name}/${aws_ecs_service.s.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  service_namespace  = "ecs"
}
resource "aws_appautoscaling_policy" "p" {
  name               = "depth"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  target_tracking_scaling_policy_configuration {
    target_value = 10
    customized_metric_specification {
      metric_name = "m"
      namespace   = "n"
      statistic   = "Average"
    }
  }
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
  package_type  = "Image"
  image_uri     = "x:${var.step}"
  publish       = true
  environment { variables = { A = "b" } }
}
resource "aws_lambda_alias" "a" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
resource "aws_lambda_provisioned_concurrency_config" "p" {
  function_name                     = aws_lambda_function.f.function_name
  qualifier                         = aws_lambda_alias.a.name
  provisioned_concurrent_executions = 1
}
resource "aws_lambda_permission" "p" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.a.execution_arn}/*/*"
}
resource "aws_lambda_event_source_mapping" "m" {
  event_source_arn = aws_sqs_queue.q.arn
  function_name    = aws_lambda_alias.a.arn
}
resource "aws_lambda_function_url" "u" {
  function_name      = aws_lambda_function.f.function_name
  authorization_type = "NONE"
}
resource "aws_apigatewayv2_api" "a" {
  name          = "a"
  protocol_type = "HTTP"
}
resource "aws_apigatewayv2_stage" "s" {
  api_id      = aws_apigatewayv2_api.a.id
  name        = "$default"
  auto_deploy = true
}
resource "aws_apigatewayv2_authorizer" "x" {
  api_id                            = aws_apigatewayv2_api.a.id
  name                              = "x"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.f.invoke_arn
  authorizer_payload_format_version = "2.0"
}
resource "aws_apigatewayv2_integration" "i" {
  api_id           = aws_apigatewayv2_api.a.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.f.invoke_arn
}
resource "aws_apigatewayv2_route" "r" {
  api_id    = aws_apigatewayv2_api.a.id
  route_key = "POST /hook"
  target    = "integrations/${aws_apigatewayv2_integration.i.id}"
}
resource "aws_sqs_queue" "d" { name = "q-dlq" }
resource "aws_sqs_queue" "q" {
  name                       = "q"
  visibility_timeout_seconds = 60 + var.step
}
resource "aws_sqs_queue_redrive_policy" "r" {
  queue_url      = aws_sqs_queue.q.url
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.d.arn, maxReceiveCount = 3 })
}
resource "aws_scheduler_schedule_group" "g" { name = "g" }
resource "aws_scheduler_schedule" "s" {
  name                = "s"
  group_name          = aws_scheduler_schedule_group.g.name
  schedule_expression = "rate(1 minute)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_sqs_queue.q.arn
    role_arn = aws_iam_role.r.arn
  }
}
resource "aws_dynamodb_table" "t" {
  name         = "jobs"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  attribute {
    name = "egg"
    type = "S"
  }
  global_secondary_index {
    name            = "by-egg"
    hash_key        = "egg"
    projection_type = "ALL"
  }
  point_in_time_recovery { enabled = true }
}
resource "aws_s3_bucket" "b" { bucket = "b-x" }
resource "aws_s3_bucket_versioning" "v" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_public_access_block" "p" {
  bucket            = aws_s3_bucket.b.id
  block_public_acls = true
}
resource "aws_s3_bucket_server_side_encryption_configuration" "e" {
  bucket = aws_s3_bucket.b.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}
resource "aws_s3_bucket_lifecycle_configuration" "l" {
  bucket = aws_s3_bucket.b.id
  rule {
    id     = "old"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration { noncurrent_days = 30 }
  }
}
resource "aws_ecr_repository" "e" { name = "e" }
resource "aws_kms_key" "k" { description = "k" }
resource "aws_secretsmanager_secret" "s" { name = "s" }
resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "a"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
}
data "aws_ami" "a" {
  most_recent = true
  owners      = ["self"]
}
resource "aws_instance" "i" {
  ami                    = "${data.aws_ami.a.id}${var.step}"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.s[0].id
  vpc_security_group_ids = [aws_security_group.g.id]
  iam_instance_profile   = aws_iam_instance_profile.ip.name
  root_block_device { volume_size = 10 }
}
resource "aws_ebs_volume" "v" {
  availability_zone = aws_instance.i.availability_zone
  size              = 10
}
resource "aws_volume_attachment" "va" {
  device_name = "/dev/sdf"
  instance_id = aws_instance.i.id
  volume_id   = aws_ebs_volume.v.id
}
resource "aws_ec2_instance_state" "st" {
  instance_id = aws_instance.i.id
  state       = "stopped"
}
output "assume" { value = data.aws_iam_policy_document.assume.json }

resource "aws_sqs_queue_policy" "p" {
  queue_url = aws_sqs_queue.q.url
  policy    = data.aws_iam_policy_document.q.json
}
resource "aws_sqs_queue_redrive_allow_policy" "a" {
  queue_url            = aws_sqs_queue.d.url
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.q.arn] })
}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b.id
  policy = data.aws_iam_policy_document.q.json
}
resource "aws_s3_bucket_ownership_controls" "o" {
  bucket = aws_s3_bucket.b.id
  rule { object_ownership = "BucketOwnerEnforced" }
}
resource "aws_apigatewayv2_domain_name" "d" {
  domain_name = "gosling.example.com"
  domain_name_configuration {
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/x"
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}
resource "aws_apigatewayv2_api_mapping" "m" {
  api_id      = aws_apigatewayv2_api.a.id
  domain_name = aws_apigatewayv2_domain_name.d.id
  stage       = aws_apigatewayv2_stage.s.id
}
resource "aws_vpc_security_group_ingress_rule" "in" {
  security_group_id            = aws_security_group.g.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.g.id
}
data "aws_vpc" "v" { id = aws_vpc.v.id }
data "aws_vpc" "elsewhere" { default = true }
data "aws_subnets" "s" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.v.id]
  }
  depends_on = [aws_subnet.s]
}
data "aws_subnet" "s" { id = aws_subnet.s[0].id }
data "aws_security_group" "g" { id = aws_security_group.g.id }
data "aws_instance" "i" {
  instance_id = aws_instance.i.id
  depends_on  = [aws_ec2_instance_state.st]
}
data "aws_ecs_cluster" "c" { cluster_name = aws_ecs_cluster.c.name }
data "aws_ssm_parameter" "p" { name = "/x" }
output "seen" {
  value = {
    cidr     = data.aws_vpc.v.cidr_block
    subnets  = sort(data.aws_subnets.s.ids) == sort(aws_subnet.s[*].id)
    zone     = data.aws_subnet.s.availability_zone
    group    = data.aws_security_group.g.name
    state    = data.aws_instance.i.instance_state
    cluster  = data.aws_ecs_cluster.c.arn == aws_ecs_cluster.c.arn
    revision = aws_ecs_task_definition.t.revision
    version  = aws_lambda_alias.a.function_version
  }
}
