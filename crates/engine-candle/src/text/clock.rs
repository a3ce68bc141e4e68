//! Dates for chat templates, in the notation of C's `strftime`.

/// The time `seconds` after the start of 1970, in UTC, in this format. Only what templates use is
/// known; anything else stays as it is written.
pub(crate) fn strftime(format: &str, seconds: u64) -> String {
    let moment = Moment::at(seconds);
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some(code) => moment.write(code, &mut out),
            None => out.push('%'),
        }
    }
    out
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

struct Moment {
    year: u64,
    /// 0 to 11.
    month: usize,
    /// 1 to 31.
    day: u64,
    /// Days since Thursday, 1 January 1970.
    days: u64,
    /// Seconds since midnight.
    second: u64,
}

impl Moment {
    fn at(seconds: u64) -> Self {
        let days = seconds / 86_400;
        let (mut year, mut month, mut rest) = (1970, 0, days);
        while rest >= days_of_year(year) {
            rest -= days_of_year(year);
            year += 1;
        }
        while rest >= days_of_month(year, month) {
            rest -= days_of_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: rest + 1,
            days,
            second: seconds % 86_400,
        }
    }

    fn write(&self, code: char, out: &mut String) {
        let (hour, minute) = (self.second / 3600, self.second / 60 % 60);
        let weekday = DAYS[(self.days % 7) as usize];
        let month = MONTHS[self.month];
        match code {
            'Y' => out.push_str(&self.year.to_string()),
            'y' => out.push_str(&format!("{:02}", self.year % 100)),
            'm' => out.push_str(&format!("{:02}", self.month + 1)),
            'B' => out.push_str(month),
            'b' => out.push_str(&month[..3]),
            'd' => out.push_str(&format!("{:02}", self.day)),
            'A' => out.push_str(weekday),
            'a' => out.push_str(&weekday[..3]),
            'H' => out.push_str(&format!("{hour:02}")),
            'M' => out.push_str(&format!("{minute:02}")),
            'S' => out.push_str(&format!("{:02}", self.second % 60)),
            '%' => out.push('%'),
            other => out.extend(['%', other]),
        }
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: usize) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::strftime;

    #[test]
    fn dates_come_out_as_in_c() {
        let check = |seconds, expected: &str| {
            assert_eq!(strftime("%a %d %b %Y, %H:%M:%S", seconds), expected);
        };
        check(0, "Thu 01 Jan 1970, 00:00:00");
        check(951_782_400, "Tue 29 Feb 2000, 00:00:00");
        check(1_735_689_599, "Tue 31 Dec 2024, 23:59:59");
        assert_eq!(strftime("%B %y %A %q %", 0), "January 70 Thursday %q %");
    }
}
