check "instance" {
  data "aws_instance" "runner" {
    instance_id = aws_instance.runner.id
    depends_on  = [aws_ec2_instance_state.runner]
  }

  assert {
    condition     = data.aws_instance.runner.instance_state == local.power
    error_message = "The runner ${var.runner_id} is not ${local.power}."
  }
}
