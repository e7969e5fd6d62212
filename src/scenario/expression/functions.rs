//! The functions that expressions have besides CEL's own and its strings library.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelString, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};

/// Functions that are not offered: their cost does not depend on what goes in.
pub const REFUSED: [&str; 1] = ["range"];

/// The environment of every expression.
pub static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib().with_optional_support(false);
    // Each name is declared once, so nothing here can clash; `functions_are_declared` proves it.
    let _ = declare(&mut environment);
    Arc::new(environment)
});

fn declare(environment: &mut Env) -> Result<(), DeclarationError> {
    environment.add_extension(cel::extensions::strings)?;
    environment.add_extension(cel::extensions::lists)?;
    environment.add_overload("reverseName", "reverse_name_string", vec![STRING_TYPE], |arguments| {
        of_text(&arguments, reverse_name)
    })?;
    environment.add_overload("hostname", "hostname_string", vec![STRING_TYPE], |arguments| {
        of_text(&arguments, |name| Ok(hostname(name)))
    })?;
    environment.add_overload("lower", "lower_string", vec![STRING_TYPE], |arguments| {
        of_text(&arguments, |text| Ok(text.to_lowercase()))
    })
}

fn of_text<'b, 'v>(
    arguments: &[CowVal<'b, 'v>],
    function: impl Fn(&str) -> Result<String, String>,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = arguments
        .first()
        .and_then(|argument| argument.downcast_ref::<CelString>())
        .ok_or_else(|| ExecutionError::invalid_argument_count(1, arguments.len()))?;
    function(text.inner())
        .map(|result| CowVal::owned(CelString::from(result)))
        .map_err(|message| ExecutionError::function_error("function", message))
}

/// The name under which an address's PTR record is found (RFC 1035, RFC 3596), with its final dot.
fn reverse_name(address: &str) -> Result<String, String> {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            Ok(format!("{d}.{c}.{b}.{a}.in-addr.arpa."))
        }
        Ok(IpAddr::V6(address)) => {
            let mut name = String::with_capacity(73);
            for octet in address.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 0xf, octet >> 4);
            }
            name.push_str("ip6.arpa.");
            Ok(name)
        }
        Err(_) => Err(format!("'{address}' is no address")),
    }
}

/// The host name that Nova derives from a server's display name (`nova.utils.sanitize_hostname`): of its first 63
/// characters, in lower case, space, underscore and dot become hyphens, what else is no word character or hyphen is
/// dropped, and so are hyphens at either end.
fn hostname(name: &str) -> String {
    let mut kept: String = name
        .trim()
        .chars()
        .take(63)
        .map(|character| if matches!(character, ' ' | '_' | '.') { '-' } else { character })
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .collect();
    kept.make_ascii_lowercase();
    kept.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn functions_are_declared() {
        assert_eq!(declare(&mut Env::stdlib().with_optional_support(false)), Ok(()));
    }

    #[rstest]
    #[case("192.0.2.7", "7.2.0.192.in-addr.arpa.")]
    #[case("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.")]
    fn an_address_has_a_reverse_name(#[case] address: &str, #[case] name: &str) {
        assert_eq!(reverse_name(address).as_deref(), Ok(name));
    }

    #[rstest]
    #[case("My_VM.1", "my-vm-1")]
    #[case("--a b!--", "a-b")]
    #[case("plain", "plain")]
    fn a_host_name_is_what_nova_makes_of_it(#[case] name: &str, #[case] host: &str) {
        assert_eq!(hostname(name), host);
    }

    #[test]
    fn a_long_name_is_cut_before_anything_is_dropped_from_it() {
        assert_eq!(hostname(&format!("!{}bc", "a".repeat(61))), format!("{}b", "a".repeat(61)));
    }
}
