/** Checks PDF files with veraPDF: reads lines "flavour TAB path", answers each with one line. */

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

public class Vera {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line; (line = lines.readLine()) != null; ) {
            String[] asked = line.split("\t");
            String answer;
            try {
                answer = check(PDFAFlavour.byFlavourId(asked[0]), asked[1]);
            } catch (Exception error) {
                answer = "failed: " + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    /** Returns "compliant", or what is not, each rule once. */
    private static String check(PDFAFlavour flavour, String path) throws Exception {
        try (PDFAParser parser =
                        Foundries.defaultInstance()
                                .createParser(new FileInputStream(path), flavour);
                PDFAValidator validator =
                        Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            if (result.isCompliant()) {
                return "compliant";
            }
            var broken = new TreeSet<String>();
            for (TestAssertion each : result.getTestAssertions()) {
                if (each.getStatus() == TestAssertion.Status.FAILED) {
                    broken.add(each.getRuleId().getClause() + "-" + each.getRuleId().getTestNumber()
                            + " " + each.getMessage());
                }
            }
            return String.join(" | ", broken);
        }
    }
}
