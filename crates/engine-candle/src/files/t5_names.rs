//! What GGUF calls the tensors of T5.

/// Parts of a layer: Hugging Face's name, and GGUF's in an encoder or a decoder.
const PARTS: [(&str, &str); 15] = [
    ("0.SelfAttention.q", "attn_q"),
    ("0.SelfAttention.k", "attn_k"),
    ("0.SelfAttention.v", "attn_v"),
    ("0.SelfAttention.o", "attn_o"),
    ("0.SelfAttention.relative_attention_bias", "attn_rel_b"),
    ("0.layer_norm", "attn_norm"),
    ("1.EncDecAttention.q", "cross_attn_q"),
    ("1.EncDecAttention.k", "cross_attn_k"),
    ("1.EncDecAttention.v", "cross_attn_v"),
    ("1.EncDecAttention.o", "cross_attn_o"),
    ("DenseReluDense.wi_0", "ffn_gate"),
    ("DenseReluDense.wi_1", "ffn_up"),
    ("DenseReluDense.wi", "ffn_up"),
    ("DenseReluDense.wo", "ffn_down"),
    ("2.layer_norm", "ffn_norm"),
];

/// The name in GGUF of a tensor that Hugging Face calls `name`.
pub(super) fn gguf_name(name: &str) -> String {
    let Some((name, kind)) = name.rsplit_once('.') else {
        return name.to_owned();
    };
    let (stack, rest) = match name.split_once('.') {
        Some(("encoder", rest)) => ("enc", rest),
        Some(("decoder", rest)) => ("dec", rest),
        _ if name == "shared" => return format!("token_embd.{kind}"),
        _ => return format!("output.{kind}"),
    };
    let Some((layer, part)) = rest
        .strip_prefix("block.")
        .and_then(|rest| rest.split_once('.'))
    else {
        return format!("{stack}.output_norm.{kind}");
    };
    let part = part.strip_prefix("layer.").unwrap_or(part);
    let part = match (stack, part) {
        ("enc", "1.layer_norm") => "ffn_norm",
        ("dec", "1.layer_norm") => "cross_attn_norm",
        _ => PARTS
            .iter()
            .find(|(name, _)| part.ends_with(name))
            .map_or(part, |(_, in_gguf)| in_gguf),
    };
    format!("{stack}.blk.{layer}.{part}.{kind}")
}

#[cfg(test)]
mod tests {
    use super::gguf_name;

    #[test]
    fn names_are_llama_cpps() {
        let check = |name: &str, expected: &str| assert_eq!(gguf_name(name), expected);
        check("shared.weight", "token_embd.weight");
        check("lm_head.weight", "output.weight");
        check("encoder.final_layer_norm.weight", "enc.output_norm.weight");
        check(
            "decoder.block.11.layer.1.EncDecAttention.o.weight",
            "dec.blk.11.cross_attn_o.weight",
        );
        check(
            "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
            "enc.blk.0.ffn_gate.weight",
        );
        check(
            "encoder.block.3.layer.1.layer_norm.weight",
            "enc.blk.3.ffn_norm.weight",
        );
        check(
            "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            "dec.blk.0.attn_rel_b.weight",
        );
    }
}
