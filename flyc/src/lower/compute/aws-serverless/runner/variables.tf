
variable "region" {
  description = "The region of the cluster."
  type        = string
}

variable "cluster" {
  description = "The name of the ECS cluster that runs the task."
  type        = string
}

variable "task_definition" {
  description = "The ARN of the definition that a new task is started from; a task that runs keeps its own."
  type        = string
}

variable "subnet_id" {
  description = "The subnet the task is attached to."
  type        = string
}

variable "security_group_ids" {
  description = "The task's security groups; none means the network's default one."
  type        = list(string)
}

variable "public_address" {
  description = "Whether the task gets a public address."
  type        = bool
}
