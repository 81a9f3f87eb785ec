extension FlatForm {
    mutating func append(_ list: [Threshold], of parsed: ParsedRule) -> Run {
        let run = Run(start: UInt32(thresholds.count), count: UInt32(list.count))
        for threshold in list {
            let variant = UInt64(parsed.rev) << 16 | UInt64(threshold.kind.rawValue) << 8
            thresholds.append(
                CompiledThreshold(
                    kind: threshold.kind, track: threshold.track, uniquePort: threshold.uniquePort,
                    action: threshold.action, isSilent: threshold.isSilent, count: threshold.count,
                    seconds: threshold.seconds, multiplier: threshold.multiplier, timeout: threshold.timeout,
                    addresses: self.run(of: threshold.addresses), rule: parsed.number,
                    variant: variant | UInt64(threshold.track.rawValue)))
        }
        return run
    }

    mutating func append(_ list: [Tag], of parsed: ParsedRule) -> Run {
        let run = Run(start: UInt32(tags.count), count: UInt32(list.count))
        tags += list.map { CompiledTag(tag: $0, rule: parsed.number) }
        return run
    }
}

extension ParsedRule {
    /// Its gid and sid as one number.
    var number: UInt64 { UInt64(gid) << 32 | UInt64(sid) }
}
