//! When an integration runs by itself.

use serde::Serialize;

/// A schedule, as five fields of cron in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Schedule(String);

impl Schedule {
    /// Reads `hourly`, `daily`, `weekly` or five fields of cron; `daily_hour` is the hour (UTC) that `daily` stands for. The error says what is wrong.
    pub fn parse(text: &str, daily_hour: u8) -> Result<Self, String> {
        let cron = match text.trim() {
            "hourly" => "0 * * * *".to_owned(),
            "daily" => format!("0 {daily_hour} * * *"),
            "weekly" => format!("0 {daily_hour} * * 1"),
            other => other.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let fields = cron.split(' ').count();
        if fields != 5 {
            return Err(format!(
                "it has {fields} fields, cron has 5: minute, hour, day of the month, month, day of the week"
            ));
        }
        let parser = croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Disallowed)
            .year(croner::parser::Year::Disallowed)
            .build();
        parser.parse(&cron).map_err(|error| error.to_string())?;
        Ok(Self(cron))
    }

    /// Five fields of cron: minute, hour, day of the month, month, day of the week.
    pub fn cron(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_cron() {
        let cron = |text| Schedule::parse(text, 9).map(|s| s.0);
        assert_eq!(cron("daily").unwrap(), "0 9 * * *");
        assert_eq!(Schedule::parse("daily", 8).unwrap().cron(), "0 8 * * *");
        assert_eq!(cron("hourly").unwrap(), "0 * * * *");
        assert_eq!(cron("weekly").unwrap(), "0 9 * * 1");
        assert_eq!(cron(" */15  6-18 * * MON-FRI ").unwrap(), "*/15 6-18 * * MON-FRI");
        for wrong in ["dayly", "61 * * * *", "0 9 * *", "0 0 9 * * *", "* 25 * * *"] {
            assert!(cron(wrong).is_err(), "{wrong}");
        }
    }
}
