output "cluster" {
  description = "The name of the cluster that runs the tasks."
  value       = local.cluster
}

output "definitions" {
  description = "The ARN of the task definition by image."
  value       = { for image, definition in aws_ecs_task_definition.runner : image => definition.arn }

  # A task can only start when its role may read the image and write the log.
  depends_on = [aws_iam_role_policy.execution]
}

output "region" {
  description = "The region of the cluster."
  value       = data.aws_region.here.region
}
