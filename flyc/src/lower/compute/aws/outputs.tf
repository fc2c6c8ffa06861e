output "instance_id" {
  description = "The instance's id."
  value       = aws_instance.runner.id
}

output "address" {
  description = "The instance's address in the subnet."
  value       = aws_instance.runner.private_ip
}
