variable "nest" {
  description = "The Nest the egg or job belongs to."
  type        = string
}

variable "egg" {
  description = "The egg the runners belong to."
  type        = string
  default     = null
}

variable "job" {
  description = "The job the runners belong to, when they belong to no egg."
  type        = string
  default     = null

  validation {
    condition     = (var.egg == null) != (var.job == null)
    error_message = "Runners belong to an egg or to a job."
  }
}

variable "egg_config" {
  description = "What every runner is told of its egg or job, as JSON."
  type        = string
}

variable "cluster" {
  description = "The name of the ECS cluster that runs the tasks; none means a cluster of its own."
  type        = string
}

variable "images" {
  description = "The container images the runners start from."
  type        = set(string)
}

variable "cpu" {
  description = "CPU units of a task, 1024 a vCPU."
  type        = number
}

variable "memory" {
  description = "Memory of a task in MiB."
  type        = number
}

variable "disk_size" {
  description = "The disk of a task in GiB; every task has 20."
  type        = number
}

variable "permissions_boundary" {
  description = "The policy that bounds the role tasks are started with; none means no boundary."
  type        = string
}

variable "log_retention" {
  description = "Days that what the runners print is kept."
  type        = number
}
