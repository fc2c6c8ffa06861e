//! Operators: which values they have a meaning for, and what that is.

use fly_std::{Float, Value};

use super::{blocks::Checker, values::Want};
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    syntax::{Expr, Kind},
};

declare_diagnostic! { pub BAD_OPERAND = "bad-operand", Error, "an operator between values it has no meaning for" }

impl Checker<'_> {
    pub(super) fn unary(&mut self, expr: Expr<'_>) -> Option<Value> {
        let operand = expr.operands().next()?;
        let operator = expr.operator()?;
        match (operator.kind(), self.eval(operand)?) {
            (Kind::Minus, Value::Int(number)) => number.checked_neg().map(Value::Int),
            (Kind::Minus, Value::Float(number)) => Float::new(-number.get()).map(Value::Float),
            (Kind::Not, Value::Bool(value)) => Some(Value::Bool(!value)),
            (kind, value) => {
                let wants = if kind == Kind::Not { "`true` or `false`" } else { "a number" };
                let message = format!("`{}` wants {wants}, found {}", operator.text(), value.noun());
                self.problem(&BAD_OPERAND, operand.range(), &message, &format!("not {wants}"));
                None
            }
        }
    }

    pub(super) fn binary(&mut self, expr: Expr<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (left, right) = (operands.next()?, operands.next()?);
        let operator = expr.operator()?;
        let left_value = self.eval(left);
        if self.is_lazy()
            && let (Kind::And | Kind::Or, Some(Value::Bool(decided))) = (operator.kind(), &left_value)
            && *decided == (operator.kind() == Kind::Or)
        {
            return left_value;
        }
        let right_value = self.eval(right);
        let (left_value, right_value) = (left_value?, right_value?);
        match operate(operator.kind(), &left_value, &right_value) {
            Ok(value) => Some(value),
            Err(Problem::Types) if matches!(operator.kind(), Kind::And | Kind::Or) => {
                for (operand, value) in [(left, &left_value), (right, &right_value)] {
                    if !matches!(value, Value::Bool(_)) {
                        let message =
                            format!("`{}` wants `true` or `false`, found {}", operator.text(), value.noun());
                        self.problem(&BAD_OPERAND, operand.range(), &message, "neither `true` nor `false`");
                        return None;
                    }
                }
                None
            }
            Err(Problem::Types) => {
                let message = format!(
                    "`{}` has no meaning between {} and {}",
                    operator.text(),
                    left_value.noun(),
                    right_value.noun()
                );
                let text =
                    matches!((&left_value, &right_value), (Value::String(_), _) | (_, Value::String(_)));
                let mut diagnostic =
                    Diagnostic::new(&BAD_OPERAND, self.span(expr.range()), message, "of two kinds");
                if text && operator.kind() == Kind::Plus {
                    diagnostic = diagnostic.help("put texts together in one string: `\"${a}${b}\"`");
                } else {
                    diagnostic = diagnostic
                        .note("Fly converts nothing by itself, so that a mistake is never taken for a value");
                }
                self.diagnostics.push(diagnostic);
                None
            }
            // The value it is tried with is none of the Nest's.
            Err(Problem::Zero | Problem::Overflow | Problem::Negative) if self.is_witness() => None,
            Err(Problem::Zero) => {
                self.problem(&BAD_OPERAND, right.range(), "nothing can be divided by zero", "this is zero");
                None
            }
            Err(Problem::Negative) => {
                let message = format!(
                    "the result would be less than nothing, and {} can't be",
                    noun(if matches!(left_value, Value::Int(_)) { &right_value } else { &left_value })
                );
                self.problem(&BAD_OPERAND, expr.range(), &message, "less than zero");
                None
            }
            Err(Problem::Overflow) => {
                self.problem(
                    &BAD_OPERAND,
                    expr.range(),
                    "the result is larger than Fly can count",
                    "too large",
                );
                None
            }
        }
    }

    pub(super) fn conditional(&mut self, expr: Expr<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (condition, yes, no) = (operands.next()?, operands.next()?, operands.next()?);
        if self.is_lazy() {
            let taken = self.truth(condition)?;
            return self.eval(if taken { yes } else { no });
        }
        let taken = self.truth(condition);
        // Both sides are checked, whichever is taken.
        let (yes, no) = (self.eval(yes), self.eval(no));
        if taken? { yes } else { no }
    }

    /// `condition ? yes : no` where a type is wanted: of both sides, whichever is taken.
    pub(super) fn choice(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (condition, yes, no) = (operands.next()?, operands.next()?, operands.next()?);
        let outer = std::mem::take(&mut self.flow);
        let taken = self.truth(condition);
        let flow = std::mem::replace(&mut self.flow, outer);
        self.flow.join(&flow);
        let (yes, no) = (self.value(yes, want), self.value(no, want));
        let value = if taken? { yes } else { no };
        // Which of the two it is tells of what decided.
        if flow.sensitive.is_some() { self.arrive(value?, &flow, expr.range(), want) } else { value }
    }

    fn truth(&mut self, condition: Expr<'_>) -> Option<bool> {
        match self.eval(condition)? {
            Value::Bool(taken) => Some(taken),
            other => {
                let message = format!("`?` wants `true` or `false` before it, found {}", other.noun());
                self.problem(&BAD_OPERAND, condition.range(), &message, "neither `true` nor `false`");
                None
            }
        }
    }
}

enum Problem {
    Types,
    Zero,
    Overflow,
    /// Less than zero, of what is never less.
    Negative,
}

fn noun(value: &Value) -> &'static str {
    if matches!(value, Value::Size(_)) { "a size" } else { "a duration" }
}

fn operate(operator: Kind, left: &Value, right: &Value) -> Result<Value, Problem> {
    use Value::{Bool, Duration, Float as Fraction, Int, Size};
    let fraction = |number: f64| Float::new(number).map(Fraction).ok_or(Problem::Overflow);
    match operator {
        Kind::And | Kind::Or => match (left, right) {
            (Bool(a), Bool(b)) => Ok(Bool(if operator == Kind::And { *a && *b } else { *a || *b })),
            _ => Err(Problem::Types),
        },
        Kind::EqualsEquals | Kind::NotEquals => {
            if std::mem::discriminant(left) != std::mem::discriminant(right) {
                return Err(Problem::Types);
            }
            Ok(Bool((left == right) == (operator == Kind::EqualsEquals)))
        }
        Kind::Less | Kind::LessEquals | Kind::Greater | Kind::GreaterEquals => {
            let order = match (left, right) {
                (Int(a), Int(b)) => a.cmp(b),
                (Duration(a), Duration(b)) | (Size(a), Size(b)) => a.cmp(b),
                (Fraction(a), Fraction(b)) | (Value::Percent(a), Value::Percent(b)) => {
                    a.get().total_cmp(&b.get())
                }
                _ => return Err(Problem::Types),
            };
            Ok(Bool(match operator {
                Kind::Less => order.is_lt(),
                Kind::LessEquals => order.is_le(),
                Kind::Greater => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        _ => match (left, right) {
            (Int(a), Int(b)) => whole(operator, *a, *b).map(Int),
            (Fraction(a), Fraction(b)) => match operator {
                Kind::Plus => fraction(a.get() + b.get()),
                Kind::Minus => fraction(a.get() - b.get()),
                Kind::Star => fraction(a.get() * b.get()),
                _ if b.get() == 0.0 => Err(Problem::Zero),
                Kind::Slash => fraction(a.get() / b.get()),
                _ => fraction(a.get() % b.get()),
            },
            (Duration(a), Duration(b)) if matches!(operator, Kind::Plus | Kind::Minus) => {
                amount(operator, *a, *b).map(Duration)
            }
            (Size(a), Size(b)) if matches!(operator, Kind::Plus | Kind::Minus) => {
                amount(operator, *a, *b).map(Size)
            }
            (Duration(a), Int(b)) if matches!(operator, Kind::Star | Kind::Slash) => {
                scale(operator, *a, *b).map(Duration)
            }
            (Size(a), Int(b)) if matches!(operator, Kind::Star | Kind::Slash) => {
                scale(operator, *a, *b).map(Size)
            }
            (Int(a), Duration(b)) if operator == Kind::Star => scale(operator, *b, *a).map(Duration),
            (Int(a), Size(b)) if operator == Kind::Star => scale(operator, *b, *a).map(Size),
            _ => Err(Problem::Types),
        },
    }
}

fn whole(operator: Kind, a: i64, b: i64) -> Result<i64, Problem> {
    let result = match operator {
        Kind::Plus => a.checked_add(b),
        Kind::Minus => a.checked_sub(b),
        Kind::Star => a.checked_mul(b),
        _ if b == 0 => return Err(Problem::Zero),
        Kind::Slash => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.ok_or(Problem::Overflow)
}

fn amount(operator: Kind, a: u64, b: u64) -> Result<u64, Problem> {
    if operator == Kind::Plus {
        a.checked_add(b).ok_or(Problem::Overflow)
    } else {
        a.checked_sub(b).ok_or(Problem::Negative)
    }
}

fn scale(operator: Kind, amount: u64, by: i64) -> Result<u64, Problem> {
    let by = u64::try_from(by).map_err(|_| Problem::Negative)?;
    let result = if operator == Kind::Star {
        amount.checked_mul(by)
    } else if by == 0 {
        return Err(Problem::Zero);
    } else {
        amount.checked_div(by)
    };
    result.ok_or(Problem::Overflow)
}
