output "instance_id" {
  description = "The task is started by this name, and found by it."
  value       = var.runner_id
}
