
variable "platform_id" {
  description = "The platform, which is the kind of processor."
  type        = string
}

variable "cores" {
  description = "vCPUs."
  type        = number
}

variable "core_fraction" {
  description = "The guaranteed share of each vCPU, in percent."
  type        = number
}

variable "memory" {
  description = "Memory in GiB."
  type        = number
}

variable "zone" {
  description = "The availability zone."
  type        = string
}

variable "gosling" {
  description = "The gosling program on the machine that runs OpenTofu."
  type        = string
}
