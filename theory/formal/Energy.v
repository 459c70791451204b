(** * Energy of a run between two bounds

    A run is a list of steps, a step the list of its workers' loads.  A step lasts [c + M], [M] the
    largest load and [c] the fixed overhead in units of load; worker [g] then draws
    [P (L_g / M)].  All claims hold for every overhead; with [c = 0] busy and idle time are the
    total work [W] and the total imbalance [I].

    Claims: [energy.sandwich], [energy.envelope], [energy.overhead]. *)

From Coq Require Import Reals Lra Lia List ZArith.
From evenkeel Require Import PowerLaw.
Import ListNotations.
Open Scope R_scope.

Definition run : Type := list (list R).

Definition loaded (r : run) : Prop := Forall (Forall (fun load => 0 <= load)) r.

Definition top (loads : list R) : R := fold_right Rmax 0 loads.

Definition sum (xs : list R) : R := fold_right Rplus 0 xs.

(** Duration and utilisation of every worker in every step. *)
Definition cells (c : R) (r : run) : list (R * R) :=
  flat_map (fun loads => map (fun load => (c + top loads, load / top loads)) loads) r.

Definition over (f : R * R -> R) (xs : list (R * R)) : R := sum (map f xs).

Definition busy (c : R) (r : run) : R := over (fun x => fst x * snd x) (cells c r).
Definition idle (c : R) (r : run) : R := over (fun x => fst x * (1 - snd x)) (cells c r).
Definition total (c : R) (r : run) : R := busy c r + idle c r.
Definition energy (d : device) (c : R) (r : run) : R :=
  over (fun x => fst x * power d (snd x)) (cells c r).

(** Total work and total imbalance. *)
Definition work (r : run) : R := sum (map sum r).
Definition imbalances (r : run) : R :=
  sum (map (fun loads => INR (length loads) * top loads - sum loads) r).

(** The two straight lines and the envelope. *)
Definition energy_floor (d : device) (busy idle : R) : R := P_max d * busy + P_idle d * idle.
Definition energy_tangent (d : device) (busy idle : R) : R := P_max d * busy + waste d * idle.
Definition envelope (d : device) (busy idle : R) : R :=
  (busy + idle) *
  (P_idle d + (P_max d - P_idle d) * power_of (1 - idle / (busy + idle)) (gamma d)).

(** ** Cells *)

Definition sound (xs : list (R * R)) : Prop :=
  Forall (fun x => 0 <= fst x /\ 0 <= snd x <= 1) xs.

Lemma top_above : forall loads x, In x loads -> x <= top loads.
Proof.
  induction loads as [|y ys IH]; simpl; [tauto|]. intros x [->|H].
  - apply Rmax_l.
  - eapply Rle_trans; [now apply IH|apply Rmax_r].
Qed.

Lemma top_nonnegative : forall loads, 0 <= top loads.
Proof. induction loads; simpl; [lra|]. eapply Rle_trans; [exact IHloads|apply Rmax_r]. Qed.

Lemma share_of_top : forall load m, 0 <= load <= m -> 0 <= load / m <= 1.
Proof.
  intros load m [A B]. destruct (Req_dec m 0) as [->|N].
  - replace load with 0 by lra. unfold Rdiv. rewrite Rmult_0_l. lra.
  - assert (0 < m) by lra. assert (0 < / m) by now apply Rinv_0_lt_compat. split.
    + unfold Rdiv. nra.
    + apply (Rmult_le_reg_r m); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra.
Qed.

Lemma cells_sound : forall c r, 0 <= c -> loaded r -> sound (cells c r).
Proof.
  intros c r C L. unfold sound, cells. apply Forall_flat_map.
  eapply Forall_impl; [|exact L]. intros loads F. apply Forall_map. apply Forall_forall.
  intros x I. simpl. pose proof (top_nonnegative loads). split; [lra|].
  apply share_of_top. split; [|now apply top_above]. rewrite Forall_forall in F. auto.
Qed.

Lemma over_cons : forall f x xs, over f (x :: xs) = f x + over f xs.
Proof. reflexivity. Qed.

Lemma over_le : forall (f g : R * R -> R) xs,
  Forall (fun x => f x <= g x) xs -> over f xs <= over g xs.
Proof. unfold over. induction 1; simpl; lra. Qed.

Lemma over_ext : forall (f g : R * R -> R) xs,
  Forall (fun x => f x = g x) xs -> over f xs = over g xs.
Proof. unfold over. induction 1; simpl; lra. Qed.

Lemma over_linear : forall a b (f g : R * R -> R) xs,
  over (fun x => a * f x + b * g x) xs = a * over f xs + b * over g xs.
Proof. unfold over. induction xs; simpl; [ring|]. rewrite IHxs. ring. Qed.

Lemma over_nonnegative : forall (f : R * R -> R) xs,
  Forall (fun x => 0 <= f x) xs -> 0 <= over f xs.
Proof. unfold over. induction 1; simpl; lra. Qed.

Lemma over_zero : forall (f : R * R -> R) xs, Forall (fun x => 0 <= f x) xs -> over f xs = 0 ->
  Forall (fun x => f x = 0) xs.
Proof.
  intros f. induction 1 as [|x xs A F IH]; intros E; [constructor|].
  pose proof (over_nonnegative f xs F). unfold over in *. simpl in E.
  constructor; [lra|]. apply IH. lra.
Qed.

Lemma busy_idle_nonnegative : forall c r, 0 <= c -> loaded r -> 0 <= busy c r /\ 0 <= idle c r.
Proof.
  intros c r C L. pose proof (cells_sound c r C L) as S.
  split; apply over_nonnegative; (eapply Forall_impl; [|exact S]); intros [w u]; simpl; nra.
Qed.

(** Without overhead busy and idle time are work and imbalance; with it, [c S] and [c (G K - S)]
    are added, [S] the sum of utilisations and [G K] the number of worker-steps. *)
Lemma usage_of_step : forall c loads, Forall (fun load => 0 <= load) loads ->
  over (fun x => fst x * snd x) (map (fun load => (c + top loads, load / top loads)) loads)
    = sum loads + c * over snd (map (fun load => (c + top loads, load / top loads)) loads) /\
  over (fun x => fst x * (1 - snd x)) (map (fun load => (c + top loads, load / top loads)) loads)
    = (INR (length loads) * top loads - sum loads)
      + c * (INR (length loads)
             - over snd (map (fun load => (c + top loads, load / top loads)) loads)).
Proof.
  intros c loads F. assert (T : Forall (fun load => load <= top loads) loads).
  { apply Forall_forall. exact (top_above _). }
  pose proof (top_nonnegative loads) as P. revert T P. generalize (top loads) as m. intros m T P.
  induction F as [|x xs A F IH]; [unfold over; simpl; lra|].
  inversion T as [|? ? B T']; subst. specialize (IH T'). destruct IH as [I J].
  assert (E : m * (x / m) = x).
  { destruct (Req_dec m 0) as [->|N]; [|field; exact N].
    replace x with 0 by lra. ring. }
  cbn [map length]. rewrite !over_cons, S_INR. cbn [fst snd].
  change (sum (x :: xs)) with (x + sum xs). split.
  - rewrite I, Rmult_plus_distr_r, E. ring.
  - rewrite J. replace ((c + m) * (1 - x / m)) with (c + m - c * (x / m) - m * (x / m)) by ring.
    rewrite E. ring.
Qed.

Lemma over_app : forall f xs ys, over f (xs ++ ys) = over f xs + over f ys.
Proof. unfold over. induction xs; simpl; intros; [lra|]. rewrite IHxs. lra. Qed.

Lemma usage_with_overhead : forall c r, loaded r ->
  busy c r = work r + c * over snd (cells c r) /\
  idle c r = imbalances r
    + c * (sum (map (fun loads => INR (length loads)) r) - over snd (cells c r)).
Proof.
  intros c r L. unfold busy, idle, work, imbalances, cells.
  induction L as [|loads rest F L [I J]]; [unfold over; simpl; lra|].
  simpl flat_map. rewrite !over_app, I, J. destruct (usage_of_step c loads F) as [-> ->].
  simpl. lra.
Qed.

(** ** [energy.sandwich] *)

Lemma energy_between : forall d xs, valid d -> sound xs ->
  P_max d * over (fun x => fst x * snd x) xs + P_idle d * over (fun x => fst x * (1 - snd x)) xs
  <= over (fun x => fst x * power d (snd x)) xs <=
  P_max d * over (fun x => fst x * snd x) xs + waste d * over (fun x => fst x * (1 - snd x)) xs.
Proof.
  intros d xs ([P Q] & _ & G) S. rewrite <- !over_linear. unfold waste, power, dynamic.
  split; apply over_le; (eapply Forall_impl; [|exact S]); intros [w u]; simpl; intros [W U].
  - pose proof (above_identity u (gamma d) U G).
    assert (0 <= w * ((P_max d - P_idle d) * (power_of u (gamma d) - u))); [|lra].
    apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra.
  - pose proof (below_tangent u (gamma d) (proj1 U) G).
    assert (0 <= w * ((P_max d - P_idle d) * (1 - gamma d * (1 - u) - power_of u (gamma d))));
      [|lra].
    apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra.
Qed.

(** Energy lies between two straight lines in busy and idle time.  The left one is attained where
    every utilisation is 0 or 1, and for [gamma = 1]; the right one where nothing idles, for
    [gamma = 1], and nowhere else unless power is constant. *)
Theorem energy_sandwich : forall d c r, valid d -> 0 <= c -> loaded r ->
  energy_floor d (busy c r) (idle c r) <= energy d c r <= energy_tangent d (busy c r) (idle c r) /\
  (Forall (fun x => snd x = 0 \/ snd x = 1) (cells c r) \/ gamma d = 1 ->
     energy d c r = energy_floor d (busy c r) (idle c r)) /\
  (P_idle d < P_max d ->
     (energy d c r = energy_tangent d (busy c r) (idle c r) <-> idle c r = 0 \/ gamma d = 1)).
Proof.
  intros d c r V C L. pose proof (cells_sound c r C L) as S.
  pose proof (energy_between d _ V S) as B. destruct V as ([P Q] & _ & G).
  unfold energy_floor, energy_tangent, energy, busy, idle in *.
  split; [exact B|]. split.
  - intros H. rewrite <- over_linear. apply over_ext. unfold power, dynamic.
    destruct H as [H|H].
    + eapply Forall_impl; [|exact H]. intros [w u]. simpl. intros [-> | ->].
      * rewrite power_of_0. ring.
      * rewrite power_of_1. ring.
    + eapply Forall_impl; [|exact S]. intros [w u]. simpl. intros [_ U].
      rewrite H, power_of_gamma_1 by lra. ring.
  - intros PQ. split.
    + intros E. destruct (Req_dec (gamma d) 1) as [|N]; [now right|left].
      rewrite <- over_linear in E.
      set (slack := fun x : R * R =>
        fst x * ((P_max d - P_idle d) * (1 - gamma d * (1 - snd x) - power_of (snd x) (gamma d)))).
      assert (Z : Forall (fun x => slack x = 0) (cells c r)).
      { apply over_zero.
        - eapply Forall_impl; [|exact S]. intros [w u]. unfold slack. simpl. intros [W U].
          pose proof (below_tangent u (gamma d) (proj1 U) G).
          apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra.
        - set (f := fun x : R * R => fst x * power d (snd x)) in E.
          set (g := fun x : R * R => P_max d * (fst x * snd x) + waste d * (fst x * (1 - snd x))) in E.
          replace (over slack (cells c r)) with (over (fun x => 1 * g x + -1 * f x) (cells c r)).
          + rewrite over_linear. lra.
          + apply over_ext. apply Forall_forall. intros [w u] _.
            unfold f, g, slack, power, dynamic, waste. simpl. ring. }
      replace 0 with (over (fun x => 0 * fst x + 0 * snd x) (cells c r))
        by (rewrite over_linear; ring).
      apply over_ext. unfold sound in S. rewrite Forall_forall in Z, S |- *. intros [w u] I.
      specialize (Z _ I). specialize (S _ I). unfold slack in Z. simpl in *. destruct S as [W U].
      destruct (Req_dec u 1) as [->|M]; [ring|].
      pose proof (below_tangent_strictly u (gamma d) (proj1 U) ltac:(lra) M).
      apply Rmult_integral in Z. destruct Z as [->|Z]; [ring|].
      apply Rmult_integral in Z. lra.
    + intros [H|H].
      * assert (over (fun x => fst x * (1 - snd x)) (cells c r) = 0) as Z by exact H.
        rewrite Z in *. lra.
      * unfold waste. rewrite H. unfold waste in B. rewrite H in B. lra.
Qed.

(** ** [energy.envelope] *)

(** Jensen's inequality for the power law: the mean power is at most the power of the mean. *)
Lemma mean_power : forall g xs m, 0 < g <= 1 -> sound xs -> 0 <= m ->
  over (fun x => fst x * snd x) xs = m * over fst xs ->
  over (fun x => fst x * power_of (snd x) g) xs <= power_of m g * over fst xs.
Proof.
  intros g xs m G S [M|<-] E.
  - set (k := power_of m g).
    replace (k * over fst xs)
      with (over (fun x => k * (1 - g) * fst x + k * g / m * (fst x * snd x)) xs).
    + apply over_le. eapply Forall_impl; [|exact S]. intros [w u]. simpl. intros [W U].
      assert (H : power_of u g = k * power_of (u / m) g).
      { unfold k. rewrite <- power_of_mult; [f_equal; field; lra|exact M|].
        unfold Rdiv. assert (0 < / m) by now apply Rinv_0_lt_compat. nra. }
      rewrite H. assert (B : power_of (u / m) g <= 1 - g * (1 - u / m)).
      { apply below_tangent; [|exact G]. unfold Rdiv.
        assert (0 < / m) by now apply Rinv_0_lt_compat. nra. }
      assert (K : 0 <= k) by apply power_of_nonnegative.
      replace (k * (1 - g) * w + k * g / m * (w * u)) with (w * (k * (1 - g * (1 - u / m))))
        by (field; lra).
      apply Rmult_le_compat_l; [exact W|]. now apply Rmult_le_compat_l.
    + rewrite over_linear, E. field. lra.
  - rewrite power_of_0, Rmult_0_l. rewrite Rmult_0_l in E.
    apply over_zero in E.
    + right. replace 0 with (over (fun x => 0 * fst x + 0 * snd x) xs) by (rewrite over_linear; ring).
      apply over_ext. eapply Forall_impl; [|exact E]. intros [w u]. simpl. intros H.
      apply Rmult_integral in H. destruct H as [->| ->]; rewrite ?power_of_0; ring.
    + eapply Forall_impl; [|exact S]. intros [w u]. simpl. nra.
Qed.

Lemma total_is_the_duration : forall c r, total c r = over fst (cells c r).
Proof.
  intros. unfold total, busy, idle.
  replace (over fst (cells c r))
    with (over (fun x => 1 * (fst x * snd x) + 1 * (fst x * (1 - snd x))) (cells c r)).
  - rewrite over_linear. ring.
  - apply over_ext. apply Forall_forall. intros [w u] _. simpl. ring.
Qed.

Lemma energy_below_envelope : forall d c r, valid d -> 0 <= c -> loaded r -> 0 < total c r ->
  energy d c r <= envelope d (busy c r) (idle c r).
Proof.
  intros d c r ([P Q] & _ & G) C L T. pose proof (cells_sound c r C L) as S.
  destruct (busy_idle_nonnegative c r C L) as [Bn _].
  set (m := 1 - idle c r / (busy c r + idle c r)).
  assert (M : m = busy c r / total c r) by (unfold m, total in *; field; lra).
  assert (M0 : 0 <= m).
  { rewrite M. unfold Rdiv. assert (0 < / total c r) by now apply Rinv_0_lt_compat. nra. }
  assert (E : over (fun x => fst x * snd x) (cells c r) = m * over fst (cells c r)).
  { rewrite <- total_is_the_duration, M. fold (busy c r). field. lra. }
  pose proof (mean_power (gamma d) _ m G S M0 E) as J.
  unfold energy, envelope. fold m. fold (total c r). rewrite total_is_the_duration.
  replace (over (fun x => fst x * power d (snd x)) (cells c r))
    with (over (fun x => P_idle d * fst x
                         + (P_max d - P_idle d) * (fst x * power_of (snd x) (gamma d))) (cells c r)).
  - rewrite over_linear. apply Rmult_le_compat_l with (r := P_max d - P_idle d) in J; lra.
  - apply over_ext. apply Forall_forall. intros [w u] _. unfold power, dynamic. simpl. ring.
Qed.

Lemma envelope_below_tangent : forall d b i, valid d -> 0 <= b -> 0 <= i -> 0 < b + i ->
  envelope d b i <= energy_tangent d b i.
Proof.
  intros d b i ([P Q] & _ & G) B I T. unfold envelope, energy_tangent, waste.
  assert (M : 1 - i / (b + i) = b / (b + i)) by (field; lra).
  assert (0 < / (b + i)) by now apply Rinv_0_lt_compat.
  assert (M0 : 0 <= 1 - i / (b + i)) by (rewrite M; unfold Rdiv; nra).
  pose proof (below_tangent _ (gamma d) M0 G) as H1.
  apply Rmult_le_compat_l with (r := P_max d - P_idle d) in H1; [|lra].
  apply Rplus_le_compat_l with (r := P_idle d) in H1.
  apply Rmult_le_compat_l with (r := b + i) in H1; [|lra].
  eapply Rle_trans; [exact H1|]. right. field. lra.
Qed.

Lemma unbounded : forall x, exists n : nat, x < INR n.
Proof.
  intros x. exists (Z.to_nat (up x)). rewrite INR_IZR_INZ. destruct (archimed x) as [H _].
  apply Rlt_le_trans with (IZR (up x)); [exact H|]. apply IZR_le. lia.
Qed.

(** One worker with load 1 and [n] workers with load [v]. *)
Definition equal_others (n : nat) (v : R) : run := [1 :: repeat v n].

Lemma usage_equal_others : forall n v, 0 <= v <= 1 ->
  loaded (equal_others n v) /\ busy 0 (equal_others n v) = 1 + INR n * v /\
  total 0 (equal_others n v) = 1 + INR n /\
  (forall d, energy d 0 (equal_others n v)
             = P_max d + INR n * (P_idle d + dynamic d * power_of v (gamma d))).
Proof.
  intros n v V. assert (T : top (1 :: repeat v n) = 1).
  { simpl. assert (H : top (repeat v n) <= 1).
    { induction n; simpl; [lra|]. apply Rmax_lub; lra. }
    fold (top (repeat v n)). now apply Rmax_left. }
  assert (X : forall f, over f (cells 0 (equal_others n v)) = f (1, 1) + INR n * f (1, v)).
  { intros f. unfold cells, equal_others. simpl flat_map. rewrite app_nil_r.
    fold (top (repeat v n)). change (Rmax 1 (top (repeat v n))) with (top (1 :: repeat v n)).
    rewrite T. replace (1 / 1) with 1 by lra. replace (0 + 1) with 1 by lra.
    unfold over. simpl. f_equal. clear T. induction n as [|k IH]; [simpl; lra|].
    rewrite S_INR. simpl. rewrite IH. replace (v / 1) with v by lra. ring. }
  split; [|split; [|split]].
  - unfold loaded, equal_others. repeat constructor; [lra|].
    apply Forall_forall. intros x I. apply repeat_spec in I. lra.
  - unfold busy. rewrite X. simpl. ring.
  - unfold total, busy, idle. rewrite !X. simpl. ring.
  - intros d. unfold energy. rewrite X. unfold power. simpl. rewrite power_of_1.
    unfold dynamic. ring.
Qed.

Lemma envelope_approached : forall d v eps, valid d -> 0 < v <= 1 -> 0 < eps ->
  exists N : nat, forall n : nat, (N <= n)%nat ->
    let r := equal_others n v in
    envelope d (busy 0 r) (idle 0 r) - energy d 0 r <= eps * total 0 r.
Proof.
  intros d v eps V Hv He. pose proof V as ([P Q] & _ & G).
  set (k := power_of v (gamma d)). set (K := (P_max d - P_idle d) * (k / v)).
  destruct (unbounded (K / eps)) as [N HN]. exists N. intros n Hn r.
  destruct (usage_equal_others n v ltac:(lra)) as (L & B & T & E). fold r in L, B, T, E.
  assert (n0 : 0 <= INR n) by apply pos_INR.
  assert (K0 : 0 <= K).
  { unfold K, Rdiv. assert (0 < / v) by (apply Rinv_0_lt_compat; lra).
    pose proof (power_of_nonnegative v (gamma d)). fold k in H0.
    apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra. }
  assert (big : K <= eps * INR n).
  { apply le_INR in Hn. apply Rmult_lt_compat_r with (r := eps) in HN; [|lra].
    unfold Rdiv in HN. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in HN by lra. nra. }
  unfold envelope. fold (total 0 r). rewrite E. unfold dynamic. fold k.
  set (m := 1 - idle 0 r / total 0 r).
  assert (M : m = v * (1 + (1 - v) / (v * (1 + INR n)))).
  { unfold m. replace (idle 0 r) with (total 0 r - busy 0 r) by (unfold total; ring).
    rewrite T, B. field. lra. }
  assert (H : power_of m (gamma d) <= k * (1 + (1 - v) / (v * (1 + INR n)))).
  { rewrite M. assert (A : 0 <= (1 - v) / (v * (1 + INR n))).
    { unfold Rdiv. apply Rmult_le_pos; [lra|]. left. apply Rinv_0_lt_compat. nra. }
    rewrite power_of_mult by lra. fold k. apply Rmult_le_compat_l; [apply power_of_nonnegative|].
    eapply Rle_trans; [apply below_tangent; [lra|exact G]|]. nra. }
  rewrite T. assert (J : (1 + INR n) * power_of m (gamma d) <= k * (1 + INR n) + k * ((1 - v) / v)).
  { apply Rmult_le_compat_l with (r := 1 + INR n) in H; [|lra].
    eapply Rle_trans; [exact H|]. right. field. lra. }
  assert (k0 : 0 <= k <= 1).
  { split; [apply power_of_nonnegative|]. unfold k.
    pose proof (below_tangent v (gamma d) ltac:(lra) G). nra. }
  assert (S : k + k * ((1 - v) / v) = k / v) by (field; lra).
  assert (X : (P_max d - P_idle d) * ((1 + INR n) * power_of m (gamma d) - 1 - INR n * k) <= K).
  { unfold K. apply Rmult_le_compat_l; [lra|]. lra. }
  nra.
Qed.

(** The lower side is the sandwich's, the upper side is Jensen's and at most the sandwich's; equal
    utilisations approach it as the number of workers grows. *)
Theorem energy_envelope :
  (forall d c r, valid d -> 0 <= c -> loaded r -> 0 < total c r ->
     let T := total c r in let f := idle c r / T in
     T * (P_idle d + dynamic d * (1 - f)) <= energy d c r
       <= T * (P_idle d + dynamic d * power_of (1 - f) (gamma d)) /\
     T * (P_idle d + dynamic d * (1 - f)) = energy_floor d (busy c r) (idle c r) /\
     T * (P_idle d + dynamic d * power_of (1 - f) (gamma d))
       <= energy_tangent d (busy c r) (idle c r)) /\
  (forall d v eps, valid d -> 0 < v <= 1 -> 0 < eps ->
     exists N : nat, forall n : nat, (N <= n)%nat ->
       let r := equal_others n v in
       envelope d (busy 0 r) (idle 0 r) - energy d 0 r <= eps * total 0 r).
Proof.
  split; [|exact envelope_approached].
  intros d c r V C L T0. simpl. destruct (busy_idle_nonnegative c r C L) as [B I].
  destruct (energy_sandwich d c r V C L) as [[F _] _].
  assert (E : total c r * (P_idle d + dynamic d * (1 - idle c r / total c r))
    = energy_floor d (busy c r) (idle c r)).
  { unfold energy_floor, dynamic, total in *. field. lra. }
  split; [split|split].
  - now rewrite E.
  - now apply energy_below_envelope.
  - exact E.
  - now apply envelope_below_tangent.
Qed.

(** ** [energy.overhead] *)

(** Every worker of every step has the largest load. *)
Definition balanced (r : run) : Prop := Forall (fun loads => Forall (fun x => x = top loads) loads) r.

Definition steps_positive (r : run) : Prop := Forall (fun loads => 0 < top loads) r.

Definition worker_steps (r : run) : R := sum (map (fun loads => INR (length loads)) r).

(** [sum_k Imb(k) (P_idle - dP c / M(k))]. *)
Definition credit (d : device) (c : R) (r : run) : R :=
  sum (map (fun loads => (INR (length loads) * top loads - sum loads)
                         * (P_idle d - dynamic d * c / top loads)) r).

Lemma idle_slots : forall r c, steps_positive r ->
  worker_steps r - over snd (cells c r)
  = sum (map (fun loads => (INR (length loads) * top loads - sum loads) / top loads) r).
Proof.
  intros r c P. unfold worker_steps, cells.
  induction P as [|loads rest M P IH]; [unfold over; simpl; lra|].
  simpl flat_map. rewrite over_app. simpl map.
  match goal with |- sum (?x :: ?xs) - (?a + ?b) = sum (?y :: ?ys) =>
    change (sum (x :: xs)) with (x + sum xs); change (sum (y :: ys)) with (y + sum ys) end.
  rewrite <- IH.
  assert (E : over snd (map (fun load => (c + top loads, load / top loads)) loads)
              = sum loads / top loads).
  { generalize (top loads). intros m. clear. induction loads as [|x xs IH].
    - unfold over, Rdiv. simpl. ring.
    - cbn [map]. rewrite over_cons, IH. change (sum (x :: xs)) with (x + sum xs).
      cbn [snd]. unfold Rdiv. ring. }
  rewrite E. field. lra.
Qed.

Lemma balanced_idles_never : forall c r, balanced r -> steps_positive r -> idle c r = 0.
Proof.
  intros c r B P. unfold idle, cells.
  induction B as [|loads rest E B IH]; [reflexivity|]. inversion P as [|? ? M P']; subst.
  simpl flat_map. rewrite over_app, IH by exact P'.
  assert (H : over (fun x => fst x * (1 - snd x))
    (map (fun load => (c + top loads, load / top loads)) loads) = 0); [|rewrite H; lra].
  clear - M E. revert M E. generalize (top loads). intros m M E.
  induction E as [|x xs A E IHx]; [reflexivity|]. cbn [map]. rewrite over_cons, IHx. cbn [fst snd].
  rewrite A. field. lra.
Qed.

Lemma weighted_positive : forall (f k : list R -> R) xs,
  Forall (fun x => 0 <= f x) xs -> Forall (fun x => 0 < k x) xs ->
  0 < sum (map f xs) -> 0 < sum (map (fun x => f x * k x) xs).
Proof.
  intros f k xs F K P.
  assert (H : 0 <= sum (map (fun x => f x * k x) xs) /\
    (sum (map (fun x => f x * k x) xs) = 0 -> sum (map f xs) = 0)).
  { clear P. induction F as [|x xs A F IH]; inversion K as [|? ? B K']; subst; simpl; [lra|].
    destruct (IH K') as [N Z]. assert (0 <= f x * k x) by nra. split; [lra|].
    intros E. assert (f x * k x = 0) by lra. rewrite Z by lra. nra. }
  destruct H as [N Z]. destruct N as [N|N]; [exact N|]. rewrite Z in P; lra.
Qed.

(** With overhead both lines and the envelope hold with [W + c S] for [W] and [I + c (G K - S)] for [I].  Perfect
    balance in as many worker-steps then saves [credit] over a baseline at its lower side: positive
    where every [M(k) > c dP / P_idle], and negative for some runs. *)
Theorem energy_overhead :
  (forall d c r, valid d -> 0 <= c -> loaded r ->
     let S := over snd (cells c r) in
     let busy_time := work r + c * S in
     let idle_time := imbalances r + c * (worker_steps r - S) in
     energy_floor d busy_time idle_time <= energy d c r <= energy_tangent d busy_time idle_time /\
     (0 < busy_time + idle_time -> energy d c r <= envelope d busy_time idle_time)) /\
  (forall d c r0 r1, valid d -> 0 <= c -> loaded r0 -> loaded r1 ->
     steps_positive r0 -> steps_positive r1 ->
     worker_steps r0 = worker_steps r1 -> work r0 = work r1 -> balanced r1 ->
     energy d c r0 = energy_floor d (busy c r0) (idle c r0) ->
     energy d c r0 - energy d c r1 = credit d c r0 /\
     (0 < P_idle d -> Forall (fun loads => c * dynamic d / P_idle d < top loads) r0 ->
        0 < imbalances r0 -> 0 < credit d c r0)) /\
  (exists c r0, 0 <= c /\ loaded r0 /\ steps_positive r0 /\
     energy a100 c r0 = energy_floor a100 (busy c r0) (idle c r0) /\ credit a100 c r0 < 0).
Proof.
  split; [|split].
  - intros d c r V C L. simpl. destruct (usage_with_overhead c r L) as [B I].
    fold (worker_steps r) in I. rewrite <- B, <- I. split.
    + now apply energy_sandwich.
    + intros T. now apply energy_below_envelope.
  - intros d c r0 r1 V C L0 L1 P0 P1 N W B F. split.
    + destruct (usage_with_overhead c r0 L0) as [B0 I0].
      destruct (usage_with_overhead c r1 L1) as [B1 I1].
      fold (worker_steps r0) in I0. fold (worker_steps r1) in I1.
      pose proof (balanced_idles_never c r1 B P1) as Z1.
      pose proof (balanced_idles_never 0 r1 B P1) as Z2.
      destruct (usage_with_overhead 0 r1 L1) as [_ I2]. rewrite Z2 in I2.
      destruct (energy_sandwich d c r1 V C L1) as [[A1 A2] _].
      unfold energy_floor, energy_tangent in *. rewrite Z1 in *.
      assert (E1 : energy d c r1 = P_max d * (work r1 + c * worker_steps r1)).
      { assert (H : c * (worker_steps r1 - over snd (cells c r1)) = 0) by lra.
        replace (work r1 + c * worker_steps r1) with (busy c r1) by (rewrite B1; lra). lra. }
      rewrite E1, F, B0, I0, <- N, <- W.
      transitivity (P_idle d * imbalances r0
                    - dynamic d * c * (worker_steps r0 - over snd (cells c r0))).
      { unfold dynamic. ring. }
      rewrite (idle_slots r0 c P0). unfold imbalances, credit. clear.
      induction r0 as [|loads rest IH]; simpl; [ring|].
      transitivity (((INR (length loads) * top loads - sum loads)
        * (P_idle d - dynamic d * c / top loads)) + sum (map (fun loads =>
        (INR (length loads) * top loads - sum loads) * (P_idle d - dynamic d * c / top loads)) rest));
        [|reflexivity].
      rewrite <- IH. unfold Rdiv. ring.
    + intros Q T I. unfold credit. revert I. unfold imbalances.
      assert (G : Forall (fun loads => 0 <= INR (length loads) * top loads - sum loads) r0).
      { apply Forall_forall. intros loads _. assert (H : forall xs m,
          Forall (fun x => x <= m) xs -> 0 <= INR (length xs) * m - sum xs).
        { induction 1 as [|x xs A _ IH]; [simpl; lra|].
          change (length (x :: xs)) with (S (length xs)). rewrite S_INR.
          change (sum (x :: xs)) with (x + sum xs). lra. }
        apply H, Forall_forall. exact (top_above loads). }
      apply weighted_positive; [exact G|]. unfold steps_positive in P0.
      rewrite Forall_forall in T, P0 |- *. intros loads J. specialize (T _ J). specialize (P0 _ J).
      simpl in T, P0. apply (Rmult_lt_reg_r (top loads)); [exact P0|]. rewrite Rmult_0_l.
      replace ((P_idle d - dynamic d * c / top loads) * top loads)
        with (P_idle d * top loads - c * dynamic d) by (field; lra).
      apply (Rmult_lt_compat_r (P_idle d)) in T; [|exact Q].
      replace (c * dynamic d / P_idle d * P_idle d) with (c * dynamic d) in T by (field; lra). lra.
  - exists 2, [[1; 0]].
    assert (L : loaded [[1; 0]]) by (repeat constructor; lra).
    assert (T : top [1; 0] = 1).
    { simpl. rewrite (Rmax_left 0 0), Rmax_left; lra. }
    assert (U : Forall (fun x => snd x = 0 \/ snd x = 1) (cells 2 [[1; 0]])).
    { unfold cells. simpl flat_map. change (Rmax 1 (Rmax 0 0)) with (top [1; 0]). rewrite T.
      apply Forall_cons; [right; simpl; lra|]. apply Forall_cons; [left; simpl; lra|constructor]. }
    split; [lra|]. split; [exact L|]. split; [|split].
    + repeat constructor. rewrite T. lra.
    + destruct (energy_sandwich a100 2 [[1; 0]] a100_valid ltac:(lra) L) as (_ & E & _).
      apply E. now left.
    + unfold credit, dynamic. cbn [map]. rewrite T. simpl. lra.
Qed.
