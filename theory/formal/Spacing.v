(** * One step from two sizes: what their spacing costs

    The pool holds at least as many copies of two sizes [x] and [x + delta] as slots are free.  From
    the lowest ends the workers go up by multiples of [delta], to any common level that none is
    above; below it each lacks a remainder.  As the level moves up by one, all remainders do, so
    over the levels their sum runs through a class of numbers modulo [delta], and at the best level
    it is at most [((G - 1) (delta - 1) + gcd (G, delta) - 1) / 2].  For every [G] and [delta] some
    step loses all of it.

    Claim: [step.spacing]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill.
Import ListNotations.
Open Scope Z_scope.

(** The pool holds enough copies of both sizes. *)
Definition offers (x delta : Z) (s : step) : Prop :=
  (list_sum (free s) <= count_occ Z.eq_dec (pool s) x)%nat /\
  (list_sum (free s) <= count_occ Z.eq_dec (pool s) (x + delta)%Z)%nat.

(** What the spacing costs [G] workers in one step. *)
Definition spacing (G : nat) (delta : Z) : Z :=
  ((Z.of_nat G - 1) * (delta - 1) + Z.gcd (Z.of_nat G) delta - 1) / 2.

(** ** Sums over a period *)

(** [f 0 + ... + f (n - 1)]. *)
Fixpoint below (n : nat) (f : Z -> Z) : Z :=
  match n with O => 0 | S m => below m f + f (Z.of_nat m) end.

Lemma below_ext : forall n f g, (forall e, 0 <= e < Z.of_nat n -> f e = g e) ->
  below n f = below n g.
Proof.
  induction n; intros f g H; [reflexivity|]. simpl below.
  rewrite (IHn f g), H by (intros; try apply H; lia). reflexivity.
Qed.

Lemma below_le : forall n f g, (forall e, 0 <= e < Z.of_nat n -> f e <= g e) ->
  below n f <= below n g.
Proof.
  induction n; intros f g H; simpl below; [lia|].
  pose proof (IHn f g ltac:(intros; apply H; lia)). specialize (H (Z.of_nat n) ltac:(lia)). lia.
Qed.

Lemma below_linear : forall n a b f g,
  below n (fun e => a * f e + b * g e) = a * below n f + b * below n g.
Proof. induction n; intros; simpl below; [lia|]. rewrite IHn. lia. Qed.

Lemma below_constant : forall n c, below n (fun _ => c) = Z.of_nat n * c.
Proof. induction n; intros c; simpl below; [reflexivity|]. rewrite IHn. lia. Qed.

Lemma below_all : forall n, 2 * below n (fun e => e) = Z.of_nat n * (Z.of_nat n - 1).
Proof. induction n; simpl below; [reflexivity|]. nia. Qed.

Lemma below_front : forall n f, below (S n) f = f 0 + below n (fun e => f (e + 1)).
Proof.
  induction n; intros f; [simpl; lia|]. change (below (S (S n)) f)
    with (below (S n) f + f (Z.of_nat (S n))). rewrite IHn. simpl below.
  replace (Z.of_nat n + 1) with (Z.of_nat (S n)) by lia. lia.
Qed.

Lemma below_reversed : forall n f, below n (fun e => f (Z.of_nat n - 1 - e)) = below n f.
Proof.
  induction n; intros f; [reflexivity|]. rewrite below_front.
  rewrite (below_ext n _ (fun e => f (Z.of_nat n - 1 - e))) by (intros; f_equal; lia).
  rewrite IHn. simpl below. replace (Z.of_nat (S n) - 1 - 0) with (Z.of_nat n) by lia. lia.
Qed.

(** A function of period [n] has one sum over every [n] consecutive numbers, forwards or back. *)
Lemma below_shifted : forall n f r, (forall e, f (e + Z.of_nat n) = f e) ->
  below n (fun e => f (r + e)) = below n f.
Proof.
  intros n f r P.
  assert (up : forall g, (forall e, g (e + Z.of_nat n) = g e) ->
    below n (fun e => g (e + 1)) = below n g).
  { intros g H. pose proof (below_front n g) as F. simpl below in F.
    rewrite <- (Z.add_0_l (Z.of_nat n)), H in F at 1. lia. }
  assert (forth : forall r, 0 <= r -> forall g, (forall e, g (e + Z.of_nat n) = g e) ->
    below n (fun e => g (r + e)) = below n g).
  { intros r' R. pattern r'. apply natlike_ind; [reflexivity| |exact R].
    intros q Q IH g H. rewrite <- (IH g H), <- (up (fun e => g (q + e))).
    - apply below_ext. intros e _. f_equal. lia.
    - intros e. rewrite <- (H (q + e)). f_equal. lia. }
  destruct (Z.le_ge_cases 0 r) as [R|R]; [now apply forth|].
  rewrite <- (forth (- r) ltac:(lia) (fun e => f (r + e))).
  - apply below_ext. intros e _. f_equal. lia.
  - intros e. rewrite <- (P (r + e)). f_equal. lia.
Qed.

Lemma below_flipped : forall n f r, (forall e, f (e + Z.of_nat n) = f e) ->
  below n (fun e => f (r - e)) = below n f.
Proof.
  intros n f r P. rewrite <- (below_shifted n f (r - Z.of_nat n + 1) P), <- below_reversed.
  apply below_ext. intros e _. f_equal. lia.
Qed.

Lemma below_sum : forall A n (f : Z -> A -> Z) xs,
  below n (fun e => sum (map (f e) xs)) = sum (map (fun x => below n (fun e => f e x)) xs).
Proof.
  intros A n f xs. induction n as [|n IH]; simpl below; [|rewrite IH]; clear;
    induction xs; simpl; lia.
Qed.

Lemma sum_of_indices : forall n h,
  sum (map (fun j => h (Z.of_nat j)) (seq 0 n)) = below n h.
Proof.
  induction n; intros h; [reflexivity|].
  rewrite seq_S, map_app, sum_app, IHn. simpl. lia.
Qed.

(** Multiples of [G] below [n G], modulo [n]: multiples of the gcd, each as often. *)
Lemma multiples : forall n G, (1 <= n)%nat ->
  2 * below n (fun e => (e * G) mod Z.of_nat n) = Z.of_nat n * (Z.of_nat n - Z.gcd G (Z.of_nat n)).
Proof.
  intros n G n1. set (N := Z.of_nat n). assert (N1 : 1 <= N) by (unfold N; lia).
  set (f := fun e => (e * G) mod N). set (g := Z.gcd G N).
  assert (P : forall e, f (e + N) = f e).
  { intros e. unfold f. rewrite Z.mul_add_distr_r, (Z.mul_comm N G), Z.mod_add by lia.
    reflexivity. }
  assert (g0 : 0 < g).
  { pose proof (Z.gcd_nonneg G N). destruct (Z.eq_dec g 0) as [E|]; [|unfold g in *; lia].
    apply Z.gcd_eq_0_r in E. lia. }
  destruct (Z.gcd_divide_l G N) as [G' EG]. destruct (Z.gcd_divide_r G N) as [d EN].
  fold g in EG, EN.
  assert (d0 : 0 < d) by nia.
  assert (coprime : Z.gcd d G' = 1).
  { assert (E : Z.gcd (G / g) (N / g) = 1) by (apply Z.gcd_div_gcd; [lia|reflexivity]).
    rewrite EG, EN, !Z.div_mul in E by lia. now rewrite Z.gcd_comm. }
  set (zero := fun e => if e mod d =? 0 then 1 else 0).
  assert (Z0 : forall e, f e + f (0 - e) = N * 1 + - N * zero e).
  { intros e. unfold f, zero. rewrite Z.sub_0_l, Z.mul_opp_l.
    assert (K : (e * G) mod N = 0 <-> e mod d = 0).
    { rewrite !Z.mod_divide by lia. split; intros [k H].
      - apply (Z.gauss d G' e); [|exact coprime]. exists k.
        apply (Z.mul_reg_r _ _ g); [lia|]. rewrite EG in H. rewrite EN in H. nia.
      - exists (k * G'). rewrite H, EG, EN. ring. }
    destruct (Z.eqb_spec (e mod d) 0) as [E|E].
    - apply K in E. rewrite Z.mod_opp_l_z by (try lia; exact E). lia.
    - rewrite Z.mod_opp_l_nz by (try lia; intros H; now apply K in H). lia. }
  assert (count : forall k, below (k * Z.to_nat d) zero = Z.of_nat k).
  { assert (join : forall m k h,
      below (m + k) h = below k h + below m (fun e => h (Z.of_nat k + e))).
    { induction m; intros k h; simpl; [lia|]. rewrite IHm.
      replace (Z.of_nat (m + k)) with (Z.of_nat k + Z.of_nat m) by lia. lia. }
    induction k as [|k IH]; [reflexivity|]. change (S k * Z.to_nat d)%nat
      with (Z.to_nat d + k * Z.to_nat d)%nat. rewrite join, IH.
    rewrite (below_ext _ _ zero).
    - replace (Z.to_nat d) with (S (Z.to_nat (d - 1))) by lia. rewrite below_front.
      rewrite (below_ext _ _ (fun _ => 0)), below_constant.
      + unfold zero. rewrite Z.mod_0_l by lia. simpl Z.eqb. lia.
      + intros e I. unfold zero. rewrite Z.mod_small by lia.
        destruct (Z.eqb_spec (e + 1) 0); lia.
    - intros e _. unfold zero. rewrite Nat2Z.inj_mul, Z2Nat.id by lia.
      rewrite Z.add_comm, Z.mod_add by lia. reflexivity. }
  assert (C : below n zero = g).
  { replace n with (Z.to_nat g * Z.to_nat d)%nat by (unfold N in EN; nia).
    rewrite count. lia. }
  assert (T : below n f + below n (fun e => f (0 - e)) = N * (N - g)).
  { rewrite <- (Z.mul_1_l (below n f)), <- (Z.mul_1_l (below n (fun e => f (0 - e)))).
    rewrite <- below_linear.
    rewrite (below_ext n _ (fun e => N * (fun _ => 1) e + - N * zero e))
      by (intros e _; rewrite <- Z0; lia).
    rewrite below_linear, below_constant, C. unfold N. ring. }
  rewrite (below_flipped n f 0 P) in T. lia.
Qed.

(** ** The best level, and residues for which it is no better *)

Lemma least_value : forall n (f : Z -> Z), (1 <= n)%nat ->
  exists e, 0 <= e < Z.of_nat n /\ forall e', 0 <= e' < Z.of_nat n -> f e <= f e'.
Proof.
  intros n f H. destruct n as [|n]; [lia|]. clear H. induction n as [|n (e & I & L)].
  - exists 0. split; [lia|]. intros e' H. replace e' with 0 by lia. lia.
  - destruct (Z_le_gt_dec (f e) (f (Z.of_nat (S n)))) as [K|K].
    + exists e. split; [lia|]. intros e' H.
      destruct (Z.eq_dec e' (Z.of_nat (S n))) as [->|]; [exact K|apply L; lia].
    + exists (Z.of_nat (S n)). split; [lia|]. intros e' H.
      destruct (Z.eq_dec e' (Z.of_nat (S n))) as [->|]; [lia|].
      specialize (L e' ltac:(lia)). lia.
Qed.

Definition remainders (N : Z) (xs : list Z) (e : Z) : Z := sum (map (fun x => (e - x) mod N) xs).

Lemma some_level : forall n xs, (1 <= n)%nat -> let N := Z.of_nat n in
  exists e, 0 <= e < N /\
  2 * remainders N xs e
  <= (Z.of_nat (length xs) - 1) * (N - 1) + Z.gcd (Z.of_nat (length xs)) N - 1.
Proof.
  intros n xs n1 N. set (G := Z.of_nat (length xs)). set (R := remainders N xs).
  assert (D : forall e, R e = G * e - sum xs - N * sum (map (fun x => (e - x) / N) xs)).
  { intros e. unfold R, remainders, G. clear - n1. induction xs as [|x xs IH]; [simpl; lia|].
    simpl map. simpl sum. simpl length. rewrite IH, Z.mod_eq by lia. lia. }
  assert (per : forall x e, (e + N - x) mod N = (e - x) mod N).
  { intros x e. replace (e + N - x) with (e - x + 1 * N) by lia. apply Z.mod_add. lia. }
  assert (P : forall e, R (e + N) = R e).
  { intros e. unfold R, remainders. f_equal. apply map_ext. intros x. apply per. }
  destruct (least_value n R n1) as (e0 & I & L). exists e0. split; [exact I|].
  assert (least : forall e, R e0 <= R e).
  { intros e. destruct (Z.mod_pos_bound e N ltac:(lia)). rewrite (Z.div_mod e N) by lia.
    assert (Q : forall q u, 0 <= u < N -> R e0 <= R (N * q + u)).
    { intros q u U. assert (K : R (N * q + u) = R u); [|rewrite K; apply L; exact U].
      unfold R, remainders. f_equal. apply map_ext. intros x.
      replace (N * q + u - x) with (u - x + q * N) by lia. apply Z.mod_add. lia. }
    now apply Q. }
  assert (up : below n (fun e => (e * G) mod N) + N * R e0 <= below n (fun e => R (e0 + e))).
  { unfold N at 2. rewrite <- below_constant.
    rewrite <- (Z.mul_1_l (below n _)), <- (Z.mul_1_l (below n (fun _ => R e0))).
    rewrite <- below_linear. apply below_le. intros e _. specialize (least (e0 + e)).
    set (k := sum (map (fun x => (e0 + e - x) / N) xs) - sum (map (fun x => (e0 - x) / N) xs)).
    assert (K : R (e0 + e) - R e0 = e * G + - k * N) by (rewrite !D; unfold k; lia).
    rewrite <- (Z.mod_add (e * G) (- k) N), <- K by lia.
    pose proof (Z.mod_le (R (e0 + e) - R e0) N ltac:(lia) ltac:(lia)). lia. }
  rewrite (below_shifted n R e0 P) in up.
  assert (T : 2 * below n R = G * (N * (N - 1))).
  { unfold R, remainders. rewrite below_sum.
    rewrite (map_ext _ (fun _ => below n (fun e => e))).
    - unfold N. rewrite <- below_all. unfold G. clear.
      induction xs; simpl length; simpl map; simpl sum; lia.
    - intros x. set (f := fun e => e mod N).
      rewrite (below_ext n _ (fun e => f (- x + e))) by (intros; unfold f; f_equal; lia).
      rewrite (below_shifted n f).
      + apply below_ext. intros e E. apply Z.mod_small. exact E.
      + intros e. unfold f. fold N. rewrite <- (Z.mul_1_l N) at 1. apply Z.mod_add. lia. }
  pose proof (multiples n G n1) as M. fold N in M. nia.
Qed.

(** Equally spaced residues, as far as whole numbers can be. *)
Definition spaced (G : nat) (delta : Z) (j : Z) : Z := j * delta / Z.of_nat G.

Lemma floors : forall G N, (1 <= G)%nat -> 1 <= N ->
  2 * below G (spaced G N) = (Z.of_nat G - 1) * (N - 1) + Z.gcd (Z.of_nat G) N - 1.
Proof.
  intros G N g n. pose proof (multiples G N g) as M. pose proof (below_all G) as A.
  rewrite (Z.gcd_comm (Z.of_nat G)).
  assert (E : Z.of_nat G * below G (spaced G N)
    = N * below G (fun e => e) + -1 * below G (fun e => (e * N) mod Z.of_nat G)).
  { rewrite <- below_linear, <- (Z.add_0_r (_ * below G _)).
    rewrite <- (Z.mul_0_l (below G (spaced G N))), <- below_linear. apply below_ext.
    intros e _. unfold spaced. rewrite Z.mod_eq by lia. lia. }
  nia.
Qed.

Lemma no_better : forall G N e, (1 <= G)%nat -> 1 <= N ->
  below G (spaced G N) <= below G (fun j => (e - spaced G N j) mod N).
Proof.
  intros G N e g n. set (H := Z.of_nat G). assert (H1 : 1 <= H) by lia.
  set (phi := fun k => spaced G N (k mod H)). set (u := e mod N).
  pose proof (Z.mod_pos_bound e N ltac:(lia)) as U. fold u in U.
  set (i := ((u + 1) * H - 1) / N).
  assert (I : 0 <= i < H).
  { split; [apply Z.div_pos; nia|]. apply Z.div_lt_upper_bound; nia. }
  assert (I1 : i * N < (u + 1) * H).
  { pose proof (Z.mul_div_le ((u + 1) * H - 1) N ltac:(lia)). fold i in H0. lia. }
  assert (I2 : (u + 1) * H <= (i + 1) * N).
  { pose proof (Z.mul_succ_div_gt ((u + 1) * H - 1) N ltac:(lia)). fold i in H0. lia. }
  rewrite <- (below_ext G phi) by (intros k K; unfold phi; f_equal; apply Z.mod_small; exact K).
  rewrite <- (below_flipped G phi i).
  2:{ intros k. unfold phi. f_equal. rewrite <- (Z.mul_1_l (Z.of_nat G)). apply Z.mod_add. lia. }
  apply below_le. intros j J. fold H in J.
  assert (floor : forall k, spaced G N k * H <= k * N < (spaced G N k + 1) * H).
  { intros k. unfold spaced. fold H. pose proof (Z.mul_div_le (k * N) H ltac:(lia)).
    pose proof (Z.mul_succ_div_gt (k * N) H ltac:(lia)). lia. }
  pose proof (floor j) as F. unfold phi.
  assert (S0 : 0 <= spaced G N j < N) by nia.
  destruct (Z_le_gt_dec j i) as [K|K].
  - assert (L : spaced G N j <= u) by nia.
    replace ((e - spaced G N j) mod N) with (u - spaced G N j).
    + rewrite Z.mod_small by lia. pose proof (floor (i - j)). nia.
    + rewrite Zminus_mod. fold u. rewrite (Z.mod_small (spaced G N j)) by lia.
      symmetry. apply Z.mod_small. lia.
  - assert (L : u < spaced G N j) by nia.
    replace ((e - spaced G N j) mod N) with (u - spaced G N j + N).
    + replace ((i - j) mod H) with (i - j + H).
      * pose proof (floor (i - j + H)). nia.
      * rewrite <- (Z.mod_add (i - j) 1 H) by lia. rewrite Z.mul_1_l. symmetry.
        apply Z.mod_small. lia.
    + rewrite Zminus_mod. fold u. rewrite (Z.mod_small (spaced G N j)) by lia.
      rewrite <- (Z.mod_add (u - _) 1 N) by lia. rewrite Z.mul_1_l. symmetry.
      apply Z.mod_small. lia.
Qed.

(** ** An admission of two sizes *)

(** Of [c] slots [j] take the larger size: the next multiple of [delta] below the level, or all. *)
Definition larger (M x delta : Z) (worker : Z * nat) : nat :=
  Nat.min (snd worker) (Z.to_nat ((M - fst worker - Z.of_nat (snd worker) * x) / delta)).

Definition two_sizes (M x delta : Z) (worker : Z * nat) : list Z :=
  repeat (x + delta) (larger M x delta worker)
    ++ repeat x (snd worker - larger M x delta worker).

Lemma two_sizes_admit : forall s M x delta, well_formed s -> 1 <= delta -> offers x delta s ->
  let workers := combine (loads s) (free s) in
  let groups := map (two_sizes M x delta) workers in
  admits s groups /\
  after s groups = map (fun w => fst w + sum (two_sizes M x delta w)) workers.
Proof.
  intros s M x delta [_ W] d [O1 O2] workers groups.
  assert (F : Forall2 (fun c group => length group = c) (free s) groups).
  { unfold groups, workers. clear - W. revert W.
    generalize (loads s). induction (free s) as [|c cs IH]; intros [|l ls] E; simpl in *;
      try discriminate; constructor; [|apply IH; congruence].
    unfold two_sizes, larger. rewrite app_length, !repeat_length. simpl. lia. }
  split.
  - pose proof (groups_fill _ _ F) as N. split; [|split].
    + clear - F. induction F; constructor; auto. lia.
    + rewrite N. unfold admissions. pose proof (count_occ_bound Z.eq_dec x (pool s)). lia.
    + apply part_of. intros y. pose proof (count_occ_bound Z.eq_dec y (concat groups)) as C.
      destruct (Z.eq_dec y x) as [->|N1]; [lia|].
      destruct (Z.eq_dec y (x + delta)) as [->|N2]; [lia|].
      rewrite (count_occ_outside (fun z => z = x \/ z = x + delta)); [lia| |tauto].
      apply Forall_forall. intros z I. apply in_concat in I. destruct I as (g & I & J).
      apply in_map_iff in I. destruct I as (w & <- & _). apply in_app_or in J.
      destruct J as [J|J]; apply repeat_spec in J; tauto.
  - unfold after, groups, workers. clear - W. revert W.
    generalize (loads s). induction (free s) as [|c cs IH]; intros [|l ls] E; simpl in *;
      try discriminate; [reflexivity|]. unfold add_groups in *. simpl. f_equal. apply IH.
    congruence.
Qed.

(** What a worker misses [e] above the level [M]: a remainder, and what its slots lack there. *)
Lemma missing : forall M e x delta worker, 1 <= delta -> 0 <= e < delta ->
  fst worker + Z.of_nat (snd worker) * x <= M ->
  let r := M - fst worker - Z.of_nat (snd worker) * x in
  M + e - (fst worker + sum (two_sizes (M + e) x delta worker))
  = Z.max 0 (M - fst worker - Z.of_nat (snd worker) * (x + delta))
    + (e - (if r <? Z.of_nat (snd worker) * delta then - r else 0)) mod delta.
Proof.
  intros M e x delta [l c] d I H r. unfold two_sizes, larger. simpl fst in *. simpl snd in *.
  rewrite sum_app, !sum_repeat.
  replace (M + e - l - Z.of_nat c * x) with (r + e) by (unfold r; lia).
  assert (Q : 0 <= (r + e) / delta) by (apply Z.div_pos; lia).
  rewrite Nat2Z.inj_sub, Nat2Z.inj_min, Z2Nat.id by lia.
  destruct (Z.ltb_spec r (Z.of_nat c * delta)) as [K|K].
  - assert ((r + e) / delta < Z.of_nat c + 1) by (apply Z.div_lt_upper_bound; nia).
    rewrite Z.min_r, Z.max_l by nia. replace (e - - r) with (r + e) by lia.
    rewrite Z.mod_eq by lia. unfold r. lia.
  - assert (Z.of_nat c <= (r + e) / delta) by (apply Z.div_le_lower_bound; nia).
    rewrite Z.min_l, Z.max_r, Z.sub_0_r, Z.mod_small by nia. unfold r. nia.
Qed.

Lemma below_level : forall s x,
  Forall (fun w => fst w + Z.of_nat (snd w) * x <= level (loads s) (free s) x)
    (combine (loads s) (free s)).
Proof.
  intros s x. apply Forall_forall. intros w I. apply largest_above, in_map_iff. now exists w.
Qed.

(** ** [step.spacing] *)

Lemma spacing_is_even : forall G N, (1 <= G)%nat -> 1 <= N ->
  spacing G N = below G (spaced G N) /\
  2 * spacing G N = (Z.of_nat G - 1) * (N - 1) + Z.gcd (Z.of_nat G) N - 1.
Proof.
  intros G N g n. pose proof (floors G N g n) as F. unfold spacing.
  rewrite <- F, Z.mul_comm, Z.div_mul by lia. lia.
Qed.

Lemma spacing_is_enough : forall s x delta v, well_formed s -> 1 <= delta -> offers x delta s ->
  optimum s v ->
  v <= waterfill (loads s) (free s) x (x + delta) + spacing (length (loads s)) delta.
Proof.
  intros s x delta v W d O (best & [_ least] & <-).
  set (M := level (loads s) (free s) x). set (workers := combine (loads s) (free s)).
  set (residue := fun w : Z * nat =>
    let r := M - fst w - Z.of_nat (snd w) * x in if r <? Z.of_nat (snd w) * delta then - r else 0).
  assert (LW : length workers = length (loads s)).
  { unfold workers. rewrite combine_length. destruct W as [_ W]. lia. }
  assert (G1 : (1 <= length (loads s))%nat).
  { destruct W as [W _]. destruct (loads s); simpl; [congruence|lia]. }
  destruct (some_level (Z.to_nat delta) (map residue workers) ltac:(lia)) as (e & I & R).
  cbv zeta in *. rewrite map_length, LW, Z2Nat.id in * by lia.
  rewrite <- (proj2 (spacing_is_even _ delta G1 d)) in R.
  destruct (two_sizes_admit s (M + e) x delta W d O) as [A E]. fold workers in A, E.
  set (groups := map (two_sizes _ _ _) workers) in *.
  assert (gaps : Forall (fun w => M + e - (fst w + sum (two_sizes (M + e) x delta w))
    = Z.max 0 (M - fst w - Z.of_nat (snd w) * (x + delta)) + (e - residue w) mod delta) workers).
  { eapply Forall_impl; [|exact (below_level s x)]. intros w K. now apply missing. }
  assert (top : largest (after s groups) <= M + e).
  { rewrite E. apply largest_least.
    { intros Z. apply map_eq_nil in Z. now apply workers_nonempty in Z. }
    apply Forall_map. eapply Forall_impl; [|exact gaps]. intros w K. cbv beta in K.
    pose proof (Z.mod_pos_bound (e - residue w) delta ltac:(lia)). lia. }
  assert (C : cost s groups <= sum (map (fun load => M + e - load) (after s groups))).
  { unfold cost. rewrite imbalance_is_the_sum_of_gaps. apply sum_map_le, Forall_forall. lia. }
  eapply Z.le_trans; [exact (least groups A)|]. eapply Z.le_trans; [exact C|].
  rewrite E, map_map. clear - gaps R.
  assert (S : sum (map (fun w => M + e - (fst w + sum (two_sizes (M + e) x delta w))) workers)
    = waterfill (loads s) (free s) x (x + delta) + remainders delta (map residue workers) e).
  { unfold waterfill, remainders. fold workers M. rewrite map_map.
    clear R. induction gaps as [|w ws K F IH]; simpl; [reflexivity|]. cbv beta in K. lia. }
  rewrite S. lia.
Qed.

(** One slot on each worker, and loads that are equally spaced modulo [delta]. *)
Definition extremal (G : nat) (x delta : Z) : step :=
  Step (map (fun j => spaced G delta (Z.of_nat j)) (seq 0 G)) (repeat 1%nat G)
    (repeat x G ++ repeat (x + delta) G).

Lemma spacing_is_needed : forall G x delta, (1 <= G)%nat -> 1 <= delta ->
  let s := extremal G x delta in
  well_formed s /\ offers x delta s /\ waterfill (loads s) (free s) x (x + delta) = 0 /\
  optimum s (spacing G delta).
Proof.
  intros G x delta g d s.
  assert (L : length (loads s) = G) by (simpl; now rewrite map_length, seq_length).
  assert (W : well_formed s).
  { split; [|simpl; now rewrite repeat_length, map_length, seq_length].
    intros Z. rewrite Z in L. simpl in L. lia. }
  assert (N : list_sum (free s) = G).
  { simpl. clear. induction G; simpl; congruence. }
  assert (O : offers x delta s).
  { unfold offers. rewrite N. simpl pool. rewrite !count_occ_app.
    pose proof (count_occ_repeat_eq Z.eq_dec G (eq_refl x)).
    pose proof (count_occ_repeat_eq Z.eq_dec G (eq_refl (x + delta))). lia. }
  assert (ends : Forall (fun w : Z * nat => snd w = 1%nat /\ 0 <= fst w < delta)
    (combine (loads s) (free s))).
  { apply Forall_forall. intros [l c] I. simpl. split.
    - apply in_combine_r, repeat_spec in I. exact I.
    - apply in_combine_l in I. simpl in I. apply in_map_iff in I. destruct I as (j & <- & J).
      apply in_seq in J. unfold spaced. split; [apply Z.div_pos; nia|].
      apply Z.div_lt_upper_bound; nia. }
  assert (F : waterfill (loads s) (free s) x (x + delta) = 0).
  { unfold waterfill. set (M := level _ _ x).
    assert (B : M <= delta - 1 + x).
    { apply largest_least; [intros Z; apply map_eq_nil in Z; now apply workers_nonempty in Z|].
      apply Forall_map. eapply Forall_impl; [|exact ends]. intros w [S1 K]. cbv beta.
      rewrite S1. lia. }
    clear - ends B. induction ends as [|w ws [S1 K] F IH]; [reflexivity|].
    simpl map. simpl sum. rewrite S1. lia. }
  split; [exact W|]. split; [exact O|]. split; [exact F|].
  destruct (optimum_exists s) as (best & P & E). pose proof P as [A _].
  pose proof (spacing_is_enough s x delta _ W d O (optimum_exists s)) as U. rewrite F, L in U.
  rewrite <- E in U.
  assert (T : Forall2 (fun w load => (load - x - fst w) mod delta = 0)
    (combine (loads s) (free s)) (after s best)).
  { pose proof (every_slot_filled _ _ A) as K. rewrite N in K. specialize (K ltac:(
      simpl; rewrite app_length, !repeat_length; lia)).
    assert (Q : Forall (fun y => (y - x) mod delta = 0) (concat best)).
    { apply (admitted_sizes s best _ A). simpl. apply Forall_app. split; apply Forall_forall;
        intros y I; apply repeat_spec in I; subst y.
      - rewrite Z.sub_diag. apply Z.mod_0_l. lia.
      - replace (x + delta - x) with (1 * delta) by lia. apply Z.mod_mul. lia. }
    assert (K' : Forall2 (fun c group => length group = c /\
      Forall (fun y => (y - x) mod delta = 0) group) (free s) best).
    { clear - K Q. induction K; constructor; simpl in Q; apply Forall_app in Q; tauto. }
    apply after_each with (before := loads s) in K'; [|exact (proj2 W)].
    fold (after s best) in K'. clear - K' ends.
    revert ends. induction K' as [|w load ws ls (group & [H1 H2] & ->) R IH]; intros ends;
      inversion ends as [|? ? [H3 _] ends']; subst; constructor; [|now apply IH].
    rewrite H3 in H1. destruct group as [|y [|]]; try discriminate. inversion H2; subst.
    simpl. now replace (fst w + (y + 0) - x - fst w) with (y - x) by lia. }
  assert (D : spacing G delta <= cost s best).
  { rewrite (proj1 (spacing_is_even G delta g d)). unfold cost.
    rewrite imbalance_is_the_sum_of_gaps. set (M := largest (after s best)).
    eapply Z.le_trans; [exact (no_better G delta (M - x) g d)|].
    rewrite <- (sum_of_indices G (fun j => (M - x - spaced G delta j) mod delta)).
    rewrite <- (map_map (fun j => spaced G delta (Z.of_nat j)) (fun l => (M - x - l) mod delta)).
    change (map (fun j => spaced G delta (Z.of_nat j)) (seq 0 G)) with (loads s).
    assert (H : Forall (fun load => load <= M) (after s best)).
    { apply Forall_forall. exact (largest_above _). }
    assert (C : map fst (combine (loads s) (free s)) = loads s).
    { destruct W as [_ W]. clear - W. revert W. generalize (loads s). generalize (free s).
      induction l; intros [|z zs] W; simpl in *; try discriminate; [reflexivity|].
      f_equal. apply IHl. congruence. }
    rewrite <- C, map_map. clearbody M. clear - T H d.
    induction T as [|w load ws ls K R IH]; simpl; [lia|].
    inversion H; subst. specialize (IH ltac:(assumption)).
    assert ((M - x - fst w) mod delta <= M - load); [|lia].
    replace (M - x - fst w) with (M - load + (load - x - fst w)) by lia.
    rewrite Zplus_mod, K, Z.add_0_r, Z.mod_mod by lia. apply Z.mod_le; lia. }
  assert (V : spacing G delta = optimal_imbalance s) by lia.
  rewrite V. exists best. now split.
Qed.

(** From two sizes the optimum is at most [((G - 1) (delta - 1) + gcd (G, delta) - 1) / 2] above the
    one of a rich pool on [x, x + delta]; and for all [G] and [delta] a step of [G] workers loses
    this much, where a rich pool loses nothing. *)
Theorem step_spacing :
  (forall s x delta v, well_formed s -> 1 <= delta -> offers x delta s -> optimum s v ->
     v <= waterfill (loads s) (free s) x (x + delta) + spacing (length (loads s)) delta) /\
  (forall G x delta, (1 <= G)%nat -> 1 <= delta -> let s := extremal G x delta in
     well_formed s /\ offers x delta s /\ waterfill (loads s) (free s) x (x + delta) = 0 /\
     optimum s (spacing G delta)) /\
  (forall G delta, (1 <= G)%nat -> 1 <= delta ->
     2 * spacing G delta = (Z.of_nat G - 1) * (delta - 1) + Z.gcd (Z.of_nat G) delta - 1 /\
     2 * spacing G delta <= Z.min ((Z.of_nat G - 1) * delta) (Z.of_nat G * (delta - 1))).
Proof.
  split; [exact spacing_is_enough|]. split; [exact spacing_is_needed|].
  intros G delta g d. pose proof (proj2 (spacing_is_even G delta g d)) as E.
  split; [exact E|]. rewrite E. apply Z.min_glb.
  - pose proof (Z.divide_pos_le _ (Z.of_nat G) ltac:(lia) (Z.gcd_divide_l _ delta)). lia.
  - pose proof (Z.divide_pos_le _ delta ltac:(lia) (Z.gcd_divide_r (Z.of_nat G) _)). lia.
Qed.
