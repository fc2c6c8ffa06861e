# A process that ended by itself leaves its PID file; only a look into /proc tells. Where there is no /proc, nobody can.
check "instance" {
  assert {
    condition = (
      length(terraform_data.process) == 0
      || !fileexists("/proc/self/stat")
      || try(fileexists("/proc/${split("\n", file("${terraform_data.process[0].output.folder}/gosling.pid"))[0]}/stat"), false)
    )
    error_message = "The process of the runner ${var.runner_id} has ended by itself."
  }
}
