output "instance_id" {
  description = "The container's id, which stays the same while the runner sleeps and wakes."
  value       = yandex_serverless_container.runner.id
}
