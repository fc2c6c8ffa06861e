output "instance_id" {
  description = "The instance's id."
  value       = yandex_compute_instance.runner.id
}

output "address" {
  description = "The instance's address in the subnet."
  value       = yandex_compute_instance.runner.network_interface[0].ip_address
}
