/// What Suricata has a name for in `stream-event`. The cases are those names in camel case, in the order of its
/// table (decode-events.c), 3whs written threeWay; the raw value is the bit in `StreamEvents`.
///
/// They are said where Suricata says them: of the beginning in `FlowTable+Handshake`, of all that follows in
/// `FlowTable+Judgement`, of what a stream is made of in `FlowTable+Reassembly`. Five are never said, and have a name
/// so that rules which ask for them can be loaded (`isNeverSaid`).
@frozen
public enum StreamEvent: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case threeWayAckInWrongDir, threeWayAsyncWrongSeq, threeWayRightSeqWrongAckEvasion
    case threeWaySynackInWrongDirection, threeWaySynackResendWithDiffAck, threeWaySynackResendWithDiffSeq
    case threeWaySynackToserverOnSynRecv, threeWaySynackWithWrongAck, threeWaySynackFlood
    case threeWaySynackTfoDataIgnored, threeWaySynResendDiffSeqOnSynRecv, threeWaySynToclientOnSynRecv
    case threeWaySynFlood, threeWayWrongSeqWrongAck, threeWayAckDataInject, fourWaySynackWithWrongAck
    case fourWaySynackWithWrongSyn, fourWayWrongSeq, fourWayInvalidAck, closewaitAckOutOfWindow
    case closewaitFinOutOfWindow, closewaitPktBeforeLastAck, closewaitInvalidAck, closingAckWrongSeq
    case closingInvalidAck, estPacketOutOfWindow, estPktBeforeLastAck, estSynackResend
    case estSynackResendWithDiffAck, estSynackResendWithDiffSeq, estSynackToserver, estSynResend
    case estSynResendDiffSeq, estSynToclient, estInvalidAck, estAckZwpData, finInvalidAck, fin1AckWrongSeq
    case fin1FinWrongSeq, fin1InvalidAck, fin2AckWrongSeq, fin2FinWrongSeq, fin2InvalidAck
    case finButNoSession, finOutOfWindow, finSyn, lastackAckWrongSeq, lastackInvalidAck, rstButNoSession
    case timewaitAckWrongSeq, timewaitInvalidAck, shutdownSynResend, pktInvalidTimestamp, pktInvalidAck
    case pktBrokenAck, rstInvalidAck, rstWithData, pktRetransmission, pktSpuriousRetransmission
    case pktBadWindowUpdate, suspectedRstInject, wrongThread, reassemblySegmentBeforeBaseSeq
    case reassemblyNoSegment, reassemblySeqGap, reassemblyOverlapDifferentData, reassemblyDepthReached
    case reassemblyInsertMemcap, reassemblyInsertLimit, reassemblyInsertInvalid
    case reassemblyUrgentOobLimitReached
}

extension StreamEvent {
    /// As rules spell it, without `stream.` before it; nil for what is no event.
    public static func named(_ name: String) -> StreamEvent? {
        // Suricata's own rules have the longer word.
        let name = name.replacing("with_different_ack", with: "with_diff_ack")
        return names.firstIndex(of: name).flatMap { StreamEvent(rawValue: UInt8($0)) }
    }

    /// What does not happen here: no connection is followed from one side only (`async-oneside`), none meets two
    /// workers, none is followed to a depth only; a segment that makes no sense or is before all that is kept is told
    /// of by other names, as it is by Suricata.
    public var isNeverSaid: Bool {
        switch self {
        case .threeWayAsyncWrongSeq, .wrongThread, .reassemblyDepthReached, .reassemblySegmentBeforeBaseSeq,
            .reassemblyInsertInvalid:
            true
        default: false
        }
    }

    /// In the order of the events, without `stream.`.
    public static let names = [
        "3whs_ack_in_wrong_dir", "3whs_async_wrong_seq", "3whs_right_seq_wrong_ack_evasion",
        "3whs_synack_in_wrong_direction", "3whs_synack_resend_with_diff_ack",
        "3whs_synack_resend_with_diff_seq", "3whs_synack_toserver_on_syn_recv",
        "3whs_synack_with_wrong_ack", "3whs_synack_flood", "3whs_synack_tfo_data_ignored",
        "3whs_syn_resend_diff_seq_on_syn_recv", "3whs_syn_toclient_on_syn_recv", "3whs_syn_flood",
        "3whs_wrong_seq_wrong_ack", "3whs_ack_data_inject", "4whs_synack_with_wrong_ack",
        "4whs_synack_with_wrong_syn", "4whs_wrong_seq", "4whs_invalid_ack", "closewait_ack_out_of_window",
        "closewait_fin_out_of_window", "closewait_pkt_before_last_ack", "closewait_invalid_ack",
        "closing_ack_wrong_seq", "closing_invalid_ack", "est_packet_out_of_window",
        "est_pkt_before_last_ack", "est_synack_resend", "est_synack_resend_with_diff_ack",
        "est_synack_resend_with_diff_seq", "est_synack_toserver", "est_syn_resend",
        "est_syn_resend_diff_seq", "est_syn_toclient", "est_invalid_ack", "est_ack_zwp_data",
        "fin_invalid_ack", "fin1_ack_wrong_seq", "fin1_fin_wrong_seq", "fin1_invalid_ack",
        "fin2_ack_wrong_seq", "fin2_fin_wrong_seq", "fin2_invalid_ack", "fin_but_no_session",
        "fin_out_of_window", "fin_syn", "lastack_ack_wrong_seq", "lastack_invalid_ack",
        "rst_but_no_session", "timewait_ack_wrong_seq", "timewait_invalid_ack", "shutdown_syn_resend",
        "pkt_invalid_timestamp", "pkt_invalid_ack", "pkt_broken_ack", "rst_invalid_ack", "rst_with_data",
        "pkt_retransmission", "pkt_spurious_retransmission", "pkt_bad_window_update",
        "suspected_rst_inject", "wrong_thread", "reassembly_segment_before_base_seq",
        "reassembly_no_segment", "reassembly_seq_gap", "reassembly_overlap_different_data",
        "reassembly_depth_reached", "reassembly_insert_memcap", "reassembly_insert_limit",
        "reassembly_insert_invalid", "reassembly_urgent_oob_limit_reached",
    ]
}

/// A set of stream events.
@frozen
public struct StreamEvents: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline var low: UInt64 = 0
    @usableFromInline var high: UInt64 = 0

    @inlinable public init() {}

    @inlinable public var isEmpty: Bool { low | high == 0 }

    @inlinable
    public func contains(_ event: StreamEvent) -> Bool {
        let bit = 1 as UInt64 &<< UInt64(event.rawValue & 63)
        return (event.rawValue < 64 ? low : high) & bit != 0
    }

    @inlinable
    public func isDisjoint(with other: StreamEvents) -> Bool { low & other.low | high & other.high == 0 }

    @inlinable
    public mutating func insert(_ event: StreamEvent) {
        let bit = 1 as UInt64 &<< UInt64(event.rawValue & 63)
        if event.rawValue < 64 { low |= bit } else { high |= bit }
    }
}
