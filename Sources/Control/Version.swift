/// The version that both programs print.
public enum Version {
    public static let text = "0.1.0"
}
