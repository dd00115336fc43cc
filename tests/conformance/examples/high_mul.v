// Replays the vectors of requantization.saturating_rounding_doubling_high_mul, which `refcompress vectors --format readmemh`
// wrote: prints the number of cases and of failures. With -DTRUNCATE nothing is rounded, which is wrong.
module high_mul(input signed [31:0] a, input signed [31:0] b, output signed [31:0] out);
    wire signed [63:0] product = a * b;
`ifdef TRUNCATE
    wire signed [63:0] rounded = product;
`else
    wire signed [63:0] rounded = product + 64'sd1073741824;
`endif
    wire signed [63:0] high = rounded >>> 31;
    assign out = high > 64'sd2147483647 ? 32'sd2147483647 : high[31:0];
endmodule

module replay;
    reg [31:0] inputs [0:4095], outputs [0:4095];
    integer cases, failures, number, i, o, n, k;
    reg signed [31:0] a, b;
    wire signed [31:0] out;
    high_mul unit(a, b, out);

    initial begin
        $readmemh("requantization.saturating_rounding_doubling_high_mul.inputs.hex", inputs);
        $readmemh("requantization.saturating_rounding_doubling_high_mul.outputs.hex", outputs);
        cases = inputs[0]; failures = 0; i = 1; o = 1;
        for (number = 0; number < cases; number = number + 1) begin
            n = inputs[i];  // numbers in a, then a; as many in b, then b
            for (k = 1; k <= n; k = k + 1) begin
                a = inputs[i + k]; b = inputs[i + n + 1 + k]; #1;
                if (out !== outputs[o + k]) failures = failures + 1;
            end
            i = i + 2 * n + 2; o = o + n + 1;
        end
        $display("%0d cases, %0d failures", cases, failures);
    end
endmodule
