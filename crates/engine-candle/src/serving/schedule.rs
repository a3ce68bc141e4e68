//! Whose prompt is read in a step, and how much of it.
//!
//! The rule: the oldest prompt that is not read yet gets [`QUANTUM`] tokens of every step, so no
//! prompt waits for ever. The rest of the step goes to the prompts with the least left to read,
//! so a short one is not kept waiting by a long one.

/// Shares are multiples of this, unless a prompt ends. Matrix kernels like such numbers of rows.
pub(crate) const QUANTUM: usize = 64;

/// How many tokens of each prompt to read, when so many are left of each (oldest first), and a
/// step takes at most `most`, a multiple of [`QUANTUM`].
pub(crate) fn shares(left: &[usize], most: usize) -> Vec<usize> {
    let mut shares = vec![0; left.len()];
    let mut room = most;
    let Some(oldest) = left.iter().position(|&left| left > 0) else {
        return shares;
    };
    shares[oldest] = left[oldest].min(QUANTUM);
    room -= shares[oldest];

    let mut shortest_first = (0..left.len()).collect::<Vec<_>>();
    shortest_first.sort_by_key(|&index| left[index]);
    for index in shortest_first {
        let rest = left[index] - shares[index];
        let share = match rest <= room {
            true => rest,
            false => room / QUANTUM * QUANTUM,
        };
        shares[index] += share;
        room -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &[usize], expected: &[usize]) {
        let shares = shares(left, 256);
        assert_eq!(shares, expected, "{left:?}");
        assert!(shares.iter().sum::<usize>() <= 256, "{left:?}");
    }

    #[test]
    fn short_prompts_go_first_and_the_oldest_is_never_left_out() {
        check(&[], &[]);
        check(&[0, 0], &[0, 0]);
        check(&[1000], &[256]);
        check(&[70], &[70]);
        check(&[1000, 50], &[192, 50]);
        check(&[1000, 300], &[64, 192]);
        check(&[1000, 100, 100], &[64, 100, 64]);
        check(&[0, 10, 1000, 1000], &[0, 10, 192, 0]);
        check(&[1000, 192, 10], &[64, 128, 10]);
    }

    #[test]
    fn every_prompt_is_read_in_the_end() {
        let mut left = vec![5000, 64, 1];
        for step in 1.. {
            let shares = shares(&left, 128);
            for (left, share) in left.iter_mut().zip(shares) {
                *left -= share;
            }
            // A new short prompt in every step cannot starve the long one.
            left.push(128);
            if left[0] == 0 {
                assert!(step <= 5000_usize.div_ceil(QUANTUM));
                return;
            }
        }
    }
}
