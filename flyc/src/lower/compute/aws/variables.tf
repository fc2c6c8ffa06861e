
variable "instance_type" {
  description = "The EC2 instance type."
  type        = string
}
