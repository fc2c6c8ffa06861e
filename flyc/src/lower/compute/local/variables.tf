
variable "folder" {
  description = "The runner's folder, absolute."
  type        = string
}

variable "egg_config" {
  description = "The egg's runner configuration, as JSON."
  type        = string
}

variable "gosling" {
  description = "The gosling program that is started."
  type        = string
}

variable "stop_timeout" {
  description = "Seconds the process gets to finish its job when it is stopped."
  type        = number
}
