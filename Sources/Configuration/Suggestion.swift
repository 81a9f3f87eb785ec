/// "Did you mean": the word of `known` that is nearest to `word`, if it is near enough to be a slip.
func suggestion(for word: String, among known: [String]) -> String? {
    // Nobody mistypes a long word into a short one; this also bounds the work.
    guard word.count <= 40 else { return nil }
    let spelled = word.lowercased().map { $0 == "_" ? "-" : $0 }
    let ranked = known.map { (word: $0, distance: editDistance(spelled, Array($0))) }
    guard let nearest = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return nearest.distance <= max(1, min(spelled.count, nearest.word.count) / 3) ? nearest.word : nil
}

/// Insertions, deletions and substitutions that turn one word into the other (Levenshtein).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let substituted = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
        }
    }
    return row[b.count]
}
