//! How long each symbol's code is: Huffman's, with a limit.

/// Lengths of a prefix code for symbols that occur as often as `counts` says: 0 for
/// those that do not, at most `limit` for the rest, which must be enough for `N` codes.
/// The code is complete, unless there is but one symbol.
///
/// Huffman's lengths by the method of Moffat and Katajainen (In-Place Calculation of
/// Minimum-Redundancy Codes, 1995). Codes beyond the limit are shortened to it, and
/// others made longer until there is room; what that loses is too little to measure.
pub(super) fn code_lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut lengths = [0; N];
    let mut sorted: Vec<(u32, usize)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    sorted.sort_unstable();
    if let [(_, only)] = sorted[..] {
        lengths[only] = 1;
    }
    if sorted.len() < 2 {
        return lengths;
    }
    let mut weights: Vec<usize> = sorted.iter().map(|(count, _)| *count as usize).collect();
    let mut per_length = vec![0; limit + 1];
    for (depth, leaves) in leaves_per_depth(&mut weights).into_iter().enumerate() {
        per_length[depth.min(limit)] += leaves;
    }
    fit(&mut per_length);

    // The rarest symbols, which come first, get the longest codes.
    let mut symbols = sorted.iter().map(|(_, symbol)| *symbol);
    for length in (1..=limit).rev() {
        for symbol in symbols.by_ref().take(per_length[length]) {
            lengths[symbol] = u8::try_from(length).unwrap_or(u8::MAX);
        }
    }
    lengths
}

/// Given at least two weights in rising order, how many leaves of Huffman's tree have
/// each depth. Uses `nodes` up.
fn leaves_per_depth(nodes: &mut [usize]) -> Vec<usize> {
    let n = nodes.len();
    // Left to right: weights become those of inner nodes, and these their parents.
    let (mut leaf, mut inner) = (0, 0);
    for next in 0..n - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            if leaf >= n || (inner < next && nodes[inner] < nodes[leaf]) {
                weight += nodes[inner];
                nodes[inner] = next;
                inner += 1;
            } else {
                weight += nodes[leaf];
                leaf += 1;
            }
        }
        nodes[next] = weight;
    }
    // Right to left from the root: parents become depths.
    let mut inner_per_depth = vec![0; n];
    nodes[n - 2] = 0;
    inner_per_depth[0] = 1;
    for node in (0..n - 2).rev() {
        nodes[node] = nodes[nodes[node]] + 1;
        inner_per_depth[nodes[node]] += 1;
    }
    // Each inner node has two children; those that are not inner nodes are leaves.
    let mut leaves = vec![0; n];
    for depth in 1..n {
        leaves[depth] = 2 * inner_per_depth[depth - 1] - inner_per_depth[depth];
    }
    leaves
}

/// Makes codes longer until all fit, given how many have each length.
fn fit(per_length: &mut [usize]) {
    let limit = per_length.len() - 1;
    let taken: usize = (1..)
        .zip(&per_length[1..])
        .map(|(length, codes)| codes << (limit - length))
        .sum();
    let mut excess = taken.saturating_sub(1 << limit);
    while excess > 0 {
        // One code of the limit takes the place beside one that gets longer by a bit.
        per_length[limit] -= 1;
        if let Some(length) = (1..limit).rev().find(|length| per_length[*length] > 0) {
            per_length[length] -= 1;
            per_length[length + 1] += 2;
        }
        excess -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How much of all codes of 32 bits the code takes.
    fn taken(lengths: &[u8]) -> u64 {
        let lengths = lengths.iter().filter(|length| **length > 0);
        lengths.map(|length| 1 << (32 - length)).sum()
    }

    /// Bits to write all symbols.
    fn cost(counts: &[u32], lengths: &[u8]) -> u64 {
        let each = counts.iter().zip(lengths);
        each.map(|(count, length)| u64::from(*count) * u64::from(*length))
            .sum()
    }

    #[test]
    fn known_tree_has_its_lengths() {
        let lengths = code_lengths(&[45, 13, 12, 16, 9, 5, 0], 15);
        assert_eq!(lengths, [1, 3, 3, 3, 4, 4, 0]);
    }

    #[test]
    fn fibonacci_numbers_keep_to_the_limit() {
        let mut counts = [1; 32];
        for symbol in 2..counts.len() {
            counts[symbol] = counts[symbol - 1] + counts[symbol - 2];
        }
        for limit in 5..=16 {
            let lengths = code_lengths(&counts, limit);
            assert_eq!(taken(&lengths), 1 << 32, "{limit}");
            assert!(lengths.iter().all(|length| usize::from(*length) <= limit));
            assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        }
        let free = code_lengths(&counts, 31);
        assert_eq!((free[0], free[31]), (31, 1));
        let limited = cost(&counts, &code_lengths(&counts, 14));
        assert!(limited * 100 < cost(&counts, &free) * 101);
    }

    #[test]
    fn none_one_and_two_symbols_have_codes() {
        assert_eq!(code_lengths(&[0; 4], 15), [0; 4]);
        assert_eq!(code_lengths(&[0, 9, 0, 0], 15), [0, 1, 0, 0]);
        assert_eq!(code_lengths(&[0, 9, 0, 1], 15), [0, 1, 0, 1]);
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_within_the_limit(
            counts in prop::array::uniform19(prop_oneof![Just(0_u32), 1..4_u32, 0..1_000_000_u32]),
            limit in 5..=15_usize,
        ) {
            let lengths = code_lengths(&counts, limit);
            let used = counts.iter().filter(|count| **count > 0).count();
            for (count, length) in counts.iter().zip(lengths) {
                prop_assert_eq!(*count > 0, length > 0);
                prop_assert!(usize::from(length) <= limit);
            }
            match used {
                0 => {}
                1 => prop_assert_eq!(taken(&lengths), 1 << 31),
                _ => prop_assert_eq!(taken(&lengths), 1 << 32),
            }
        }
    }
}
