locals {
  pid_file = "${var.folder}/gosling.pid"
}

output "instance_id" {
  description = "The id of the runner's folder, which stays the same while it sleeps and wakes."
  value       = terraform_data.home.id
}

output "pid_file" {
  description = "The file with the process id, while the runner is awake."
  value       = local.pid_file
}
